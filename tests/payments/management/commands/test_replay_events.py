"""`manage.py replay_events`: what it chooses, what it says, and with which code it ends."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from payments.handlers import registry
from payments.ledger.models import EventAttempt, PaymentEvent
from payments.management.commands import replay_events as module
from payments.orders.models import Order
from payments.processing.models import ReplayRun
from tests.support.road import NOON, event_of, kept

COMPLETED = "checkout.session.completed"


@pytest.fixture
def given_up(registration):
    """Came, and was given up."""
    [row] = kept(event_of(registration, COMPLETED))
    PaymentEvent.objects.update(status="DEAD", attempts=7, error_kind="KeyError", error="'x'", error_group="a" * 16)
    return row


def told(*arguments):
    out = io.StringIO()
    call_command("replay_events", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments):
    with pytest.raises(CommandError) as error:
        told(*arguments)
    return error.value.returncode, str(error.value)


class TestReplay:
    def test_heals_what_was_chosen(self, given_up):
        assert "1 of 1 events were processed again, 0 failed again." in told(
            "--group", "a" * 16, "--reason", "repaired"
        )

        attempt = EventAttempt.objects.get()
        assert (attempt.trigger, attempt.requested_reason, Order.objects.get().status) == ("replay", "repaired", "PAID")
        assert ReplayRun.objects.get().source == "manage.py replay_events"

    def test_tells_programs_in_json(self, given_up):
        report = json.loads(told("--ids", given_up.stripe_event_id, "--json"))

        assert (report["state"], report["healed"], report["failed"], report["left"]) == ("DONE", 1, 0, 0)

    def test_ends_with_1_where_one_fails_again(self, given_up, monkeypatch):
        def broken(_event):
            raise KeyError("amount_total")

        monkeypatch.setitem(registry.HANDLERS, COMPLETED, broken)

        code, words = refused("--type", COMPLETED)

        assert code == 1
        assert given_up.stripe_event_id in words
        assert "'amount_total'" in words

    def test_that_is_interrupted_says_how_far_it_came(self, given_up, monkeypatch):
        def interrupted(**_kwargs):
            raise KeyboardInterrupt

        monkeypatch.setattr(module, "advance_replay", interrupted)

        assert refused("--status", "DEAD") == (1, "Interrupted: 1 are left. Run it again for the rest.")
        assert ReplayRun.objects.get().state == "CANCELED"


class TestDryRun:
    def test_shows_what_would_come_of_it_and_keeps_nothing(self, given_up):
        text = told("--since", "2026-03-01", "--until", "2026-03-03T00:00:00Z", "--dry-run")

        assert "1 of 1 events would be processed, 0 would fail again." in text
        assert "Status: Waiting for payment → Paid" in text
        assert "E-mail to camille.martin@example.com" in text
        assert (PaymentEvent.objects.get().status, ReplayRun.objects.count()) == ("DEAD", 0)

    def test_tells_programs_in_json(self, given_up):
        report = json.loads(told("--status", "DEAD", "--dry-run", "--json"))

        assert report["events"] == [{"event": given_up.stripe_event_id, "state": "PROCESSED", "error": ""}]
        assert [each["is_new"] for each in report["effects"]] == [True]


class TestWrongUse:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ([], "not everything is replayed at once"),
            (["--limit", "5"], "not everything is replayed at once"),
            (["--ids", "evt_none"], "No such event here: evt_none"),
            (["--group", "b" * 16], "There are no such events."),
            (["--type", "refund.created", "--dry-run"], "There are no such events."),
        ],
    )
    def test_ends_with_2(self, given_up, arguments, words):
        code, said = refused(*arguments)

        assert (code, words in said) == (2, True)
        assert PaymentEvent.objects.get().status == "DEAD"

    @pytest.mark.parametrize("moment", ["yesterday", "2026-02-30", "1e400"])
    def test_says_which_moment_cannot_be_read(self, db, moment):
        assert "argument --since" in refused("--since", moment)[1]

    def test_reads_a_day_in_the_sites_time_zone(self, settings):
        assert module.moment("2026-03-02T12:00:00+00:00") == NOON
        assert module.moment("2026-03-02").utcoffset() is not None
