"""`manage.py stripe_emulator …` as it is typed."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from stripe_emulator import clock, store, timers
from stripe_emulator.events.chaos import Chaos
from stripe_emulator.events.emit import emit
from stripe_emulator.events.endpoints import valid_secrets
from stripe_emulator.models import Delivery, Emulation, Event, StoredObject
from stripe_emulator.objects.account import new_customer

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
        Delivery.objects.update(state="failed", attempt_count=8)

        (line,) = run("deliveries").splitlines()

        assert event.stripe_id in line
        assert line.endswith("failed (8)  500 oh no")

    def test_that_were_not_accepted_can_be_picked(self, event):
        nothing = run("deliveries", "--failed")
        Delivery.objects.update(attempt_count=1)

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


class TestEndpoint:
    def test_is_made_once_and_then_changed(self):
        run("endpoint", "--url", URL, "--secret", "whsec_a")
        run("endpoint", "--url", URL, "--secret", "whsec_b", "--events", "invoice.paid, invoice.voided")

        stored = StoredObject.objects.get()
        assert stored.data["enabled_events"] == ["invoice.paid", "invoice.voided"]
        assert valid_secrets(stored.hidden, now=0) == ["whsec_b"]

    def test_stays_what_it_is_when_nothing_else_is_said(self, endpoint):
        run("endpoint", "--url", URL, "--api-version", "2023-10-16", "--events", "invoice.paid")
        run("disable", endpoint.stripe_id)

        said = run("endpoint", "--url", URL)

        endpoint.refresh_from_db()
        assert (endpoint.data["enabled_events"], endpoint.data["status"]) == (["invoice.paid"], "disabled")
        assert endpoint.data["api_version"] == "2023-10-16"
        assert valid_secrets(endpoint.hidden, now=0) == ["whsec_first"]
        assert "disabled" in said

    def test_with_a_name_moves_to_another_address(self):
        run("endpoint", "--url", URL, "--name", "site", "--secret", "whsec_a")
        run("endpoint", "--url", f"{URL}/elsewhere", "--name", "site")

        stored = StoredObject.objects.get()
        assert stored.data["url"] == f"{URL}/elsewhere"
        assert valid_secrets(stored.hidden, now=0) == ["whsec_a"]

    def test_gets_a_secret_that_is_shown_once(self):
        first, second = run("endpoint", "--url", URL), run("endpoint", "--url", URL)

        (secret,) = valid_secrets(StoredObject.objects.get().hidden, now=0)
        assert secret in first
        assert "whsec_" not in second

    @pytest.mark.parametrize(
        "wrong",
        [
            (),
            ("--url", "nowhere"),
            ("--url", URL, "--secret", "abc"),
            ("--url", URL, "--secret", "whsec_a b"),
            ("--url", URL, "--events", "a,,b"),
            ("--url", URL, "--api-version", "2019-01-01"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, wrong):
        assert refused("endpoint", *wrong)
        assert not StoredObject.objects.exists()


class TestRotate:
    def test_shows_the_new_secret_and_keeps_the_old_one_for_a_while(self, endpoint):
        said = run("rotate", endpoint.stripe_id, "--hours", "2")

        endpoint.refresh_from_db()
        now = clock.emulated_now()
        new, old = valid_secrets(endpoint.hidden, now=now)
        assert new in said
        assert old == "whsec_first"
        assert valid_secrets(endpoint.hidden, now=now + 2 * 3600) == [new]

    def test_does_not_lengthen_what_was_about_to_end(self, endpoint):
        run("rotate", endpoint.stripe_id, "--hours", "1")
        run("rotate", endpoint.stripe_id, "--hours", "24")

        endpoint.refresh_from_db()
        assert len(valid_secrets(endpoint.hidden, now=clock.emulated_now())) == 3
        assert len(valid_secrets(endpoint.hidden, now=clock.emulated_now() + 3600)) == 2

    @pytest.mark.parametrize("name", ["rotate", "disable", "enable"])
    def test_needs_an_endpoint_that_exists(self, name):
        assert "we_of_nobody" in refused(name, "we_of_nobody")


class TestDisableAndEnable:
    def test_switch_the_endpoint(self, endpoint):
        run("disable", endpoint.stripe_id)
        disabled = store.find("webhook_endpoint", status="disabled").exists()
        run("enable", endpoint.stripe_id)

        assert disabled
        assert store.find("webhook_endpoint", status="enabled").exists()
