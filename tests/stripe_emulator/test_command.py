"""`manage.py stripe_emulator …` as it is typed."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from stripe_emulator import clock, store, timers
from stripe_emulator.events.chaos import Chaos
from stripe_emulator.events.emit import emit
from stripe_emulator.models import Delivery, Emulation, Event, StoredObject
from stripe_emulator.shapes.customer import new_customer

URL = "http://127.0.0.1:8000/stripe/webhooks"
DAY = 24 * 3600

pytestmark = pytest.mark.django_db


def run(*arguments):
    """What the command says."""
    said = StringIO()
    call_command("stripe_emulator", *arguments, stdout=said)
    return said.getvalue()


def refused(*arguments):
    with pytest.raises(CommandError) as refusal:
        run(*arguments)
    return str(refusal.value)


@pytest.fixture
def endpoint():
    run("endpoint", "--url", URL, "--secret", "whsec_first")
    return store.find("webhook_endpoint").get()


@pytest.fixture
def event(endpoint):
    customer = store.keep(new_customer(clock.real_now()))
    return emit("customer.created", customer, at=clock.real_now())


class TestAdvance:
    @pytest.mark.parametrize(
        ("told", "seconds"), [("31d", 31 * DAY), ("12h", 43200), ("90m", 5400), ("10s", 10), ("1d12h", 129600)]
    )
    def test_moves_the_clock(self, told, seconds):
        run("advance", told)

        assert clock.ahead() == seconds

    def test_lets_timers_go_off(self, monkeypatch):
        monkeypatch.setitem(timers.REACTIONS, "test.bang", lambda stored, at: None)
        timers.set_timer("test.bang", store.keep(new_customer(clock.real_now())), at=clock.real_now() + DAY)

        assert "1 timer has gone off" in run("advance", "2d")

    @pytest.mark.parametrize("wrong", ["", "31", "d", "-1d", "1w", "1.5d", "31 d", "٣d", "0s", "9999d"])
    def test_refuses_what_is_no_duration(self, wrong):
        assert refused("advance", wrong)
        assert clock.ahead() == 0

    def test_says_when_nobody_sends(self, event, monkeypatch):
        monkeypatch.setattr("stripe_emulator.management.commands.stripe_emulator.QUIET_WITHIN", 0)

        assert "still waiting" in refused("advance", "1s", "--until-quiet")

    def test_is_done_when_nothing_is_left(self):
        assert "0 timers" in run("advance", "1s", "--until-quiet")


class TestChaos:
    def test_is_switched_on_shown_and_switched_off(self):
        begun = run("chaos", "--seed", "7", "--duplicates", "3", "--shuffle", "20", "--drop", "10", "--rotation")
        shown = run("chaos")
        stored = Chaos.current()
        over = run("chaos", "--off")

        assert begun == shown
        assert re.findall(r"^  (.+)$", shown, re.M) == [
            "seed 7",
            "duplicates 3",
            "shuffle 20",
            "drop_percent 10",
            "rotation True",
        ]
        assert (stored.seed, stored.drop_percent, stored.rotation) == (7, 10, True)
        assert "off" in over
        assert not Chaos.current().is_on

    @pytest.mark.parametrize(
        "wrong",
        [
            ("--duplicates", "11"),
            ("--drop", "101"),
            ("--drop", "-1"),
            ("--drop", "a"),
            ("--shuffle", "1.5"),
            ("--off", "--drop", "1"),
            ("--seed", "7"),
            ("--wild",),
        ],
    )
    def test_refuses_what_makes_no_sense_and_changes_nothing(self, wrong):
        run("chaos", "--drop", "5")

        assert refused("chaos", *wrong)
        assert Chaos.current().drop_percent == 5


class TestDeliveries:
    def test_are_listed_with_their_answers(self, event):
        delivery = Delivery.objects.get()
        delivery.attempts.create(sent_at="2026-01-01T00:00:00Z", seconds=1, status_code=500, answer="oh\nno")
        Delivery.objects.update(state="failed", tries=8)

        (line,) = run("deliveries").splitlines()

        assert event.stripe_id in line
        assert line.endswith("failed (8)  500 oh no")

    def test_that_were_not_accepted_can_be_picked(self, event):
        nothing = run("deliveries", "--failed")
        Delivery.objects.update(tries=1)

        assert nothing.strip() == "There are none."
        assert event.stripe_id in run("deliveries", "--failed", "--limit", "1")

    @pytest.mark.parametrize("limit", ["0", "-1", "many"])
    def test_need_a_limit_that_is_a_number(self, limit):
        assert refused("deliveries", "--limit", limit)


class TestResend:
    def test_sends_one_event_again(self, event):
        assert "1 delivery" in run("resend", event.stripe_id)
        assert event.deliveries.count() == 2

    def test_sends_what_was_never_accepted(self, event):
        Delivery.objects.update(state="dropped")

        assert "1 delivery" in run("resend", "--undelivered")

    def test_refuses_an_unknown_event(self, event):
        assert "evt_of_nobody" in refused("resend", "evt_of_nobody")

    def test_says_when_no_endpoint_wants_it(self, event, endpoint):
        run("disable", endpoint.stripe_id)

        assert "customer.created" in refused("resend", event.stripe_id)

    def test_needs_to_know_what(self):
        assert refused("resend")


class TestReset:
    def test_forgets_everything(self, event):
        run("advance", "1d")

        run("reset", "--yes")

        assert not any(model.objects.exists() for model in (StoredObject, Event, Delivery, Emulation))

    @pytest.mark.parametrize(("answer", "is_gone"), [("yes\n", True), ("", False), ("no\n", False)])
    def test_asks_first(self, event, monkeypatch, answer, is_gone):
        monkeypatch.setattr("sys.stdin", StringIO(answer))

        if is_gone:
            run("reset")
        else:
            assert "Nothing was changed" in refused("reset")

        assert Event.objects.exists() is not is_gone


class TestTheCommand:
    @pytest.mark.parametrize("wrong", [(), ("dance",)])
    def test_needs_a_subcommand(self, wrong):
        assert refused(*wrong)

    def test_does_nothing_where_the_emulator_is_switched_off(self, settings):
        settings.STRIPE_EMULATOR = False

        assert "switched off" in refused("chaos")
