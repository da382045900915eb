"""`manage.py stripe_backfill`: what people and machines read, and which questions it refuses."""

import io
import json
from datetime import UTC, datetime

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import translation

from payments.backfill import backfill as module
from payments.backfill.models import BackfillMark, BackfillRun
from payments.handlers.registry import handled_types
from payments.ledger.models import PaymentEvent
from payments.stripe_api import lookups
from payments.stripe_api.gateway import GatewayUnavailable, RateLimited
from stripe_emulator import clock, store
from stripe_emulator.events.emit import emit
from stripe_emulator.objects.account import new_customer
from tests.support.factories import OrderFactory
from tests.support.subscriber import emulate

NOW = datetime(2026, 11, 30, 14, 5, tzinfo=UTC)
HOURLY = ("--since", "2026-11-30T13:05+00:00")


@pytest.fixture(autouse=True)
def emulated(db, monkeypatch):
    with time_machine.travel(NOW, tick=False):
        emulate(monkeypatch)
        BackfillMark.objects.create(complete_from=NOW, complete_up_to=NOW, last_run_at=NOW, types=handled_types())
        yield


@pytest.fixture
def lost():
    """An event ten minutes old, of a site that sells."""
    OrderFactory.create()
    customer = store.keep(new_customer(clock.real_now()))
    return emit("customer.updated", customer, at=int(NOW.timestamp()) - 600).stripe_id


def told(*arguments):
    out = io.StringIO()
    call_command("stripe_backfill", *arguments, stdout=out)
    return out.getvalue()


class TestStripeBackfill:
    def test_says_up_to_when_nothing_is_missing(self):
        assert told() == "Complete up to 11/30/2026 3:05 p.m., 0 missing.\n"

    def test_names_what_it_has_taken_in(self, lost):
        lines = told().splitlines()

        assert lines == [
            "Complete up to 11/30/2026 3:05 p.m., 1 missing.",
            f"  {lost}  customer.updated  2026-11-30 14:55:00 CET",
        ]
        assert PaymentEvent.objects.get().stripe_event_id == lost

    def test_takes_nothing_in_when_it_only_looks(self, lost):
        text = told("--dry-run")

        assert lost in text
        assert text.endswith("Dry run: nothing was taken in.\n")
        assert not PaymentEvent.objects.exists()

    def test_tells_machines_one_object(self, lost):
        answer = json.loads(told("--json", *HOURLY))

        assert (answer["complete_up_to"], answer["missing"], answer["gap"]) == (NOW.isoformat(), 1, 1)
        assert answer["events"] == [
            {"id": lost, "type": "customer.updated", "occurred_at": "2026-11-30T13:55:00+00:00", "trouble": ""}
        ]
        assert (answer["since"], answer["finished"]) == ("2026-11-30T13:05:00+00:00", True)

    def test_says_what_can_no_longer_be_listed(self):
        lines = told("--since", "2026-10-01").splitlines()

        assert lines[1].startswith("Events of 10/01/2026 ")
        assert "can no longer be listed" in lines[1]

    def test_does_not_name_a_thousand_and_one(self, lost, monkeypatch):
        monkeypatch.setattr(module, "MAX_KEPT_EVENTS", 0)

        assert told().splitlines()[1] == "  … and 1 more"

    @pytest.mark.parametrize(
        ("since", "why"),
        [("yesterday", "is no date such as"), ("2026-13-41", "is no date such as"), ("2999-01-01", "in the future")],
    )
    def test_refuses_what_is_no_moment_in_the_past(self, since, why):
        with pytest.raises(CommandError, match=why):
            told("--since", since)

        assert not BackfillRun.objects.exists()

    def test_fails_in_english_where_it_does_not_come_to_its_end(self, monkeypatch):
        def away(what, params):
            raise RateLimited("too many", retry_after=60)

        monkeypatch.setattr(lookups, "_page", away)

        with translation.override("fr"), pytest.raises(CommandError) as refusal:
            told()

        assert str(refusal.value) == "Not finished: Stripe asks for fewer questions; the next run goes on"

    def test_says_how_to_go_on_where_nobody_does_by_himself(self, monkeypatch):
        def away(what, params):
            raise GatewayUnavailable("no answer")

        monkeypatch.setattr(lookups, "_page", away)

        with pytest.raises(CommandError, match=r"--since 2026-11-30T13:05:00\+00:00"):
            told(*HOURLY)

    def test_says_so_when_another_one_is_under_way(self, monkeypatch):
        def held(name, *, or_raise):
            raise or_raise

        monkeypatch.setattr(module, "advisory_lock", held)

        with pytest.raises(CommandError, match="under way"):
            told()
