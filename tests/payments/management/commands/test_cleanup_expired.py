"""`manage.py cleanup_expired`: what people read, and the whole way with the Stripe emulator."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from payments.checkout.open_checkout import open_checkout
from payments.ledger.models import UNMATCHED, PaymentEvent
from payments.orders.models import Order
from payments.statuses import EventStatus
from registrations.models import Registration
from tests.support.buyers import Buyer
from tests.support.emulator_process import running_emulator
from tests.support.fake_gateway import unavailable
from tests.support.road import event_of, keep
from tests.support.stripe_moods import stand_in


@pytest.fixture
def stripe(monkeypatch):
    return stand_in(monkeypatch)


def told(*arguments: str) -> str:
    out = io.StringIO()
    call_command("cleanup_expired", *arguments, stdout=out)
    return out.getvalue()


def time_is_over(order: Order) -> None:
    """As if the half hour of its session had passed here."""
    order.checkouts.update(expires_at=timezone.now() - timedelta(seconds=1))


def decided(told: dict) -> dict[str, str]:
    return {each["order"]: each["decision"] for each in told["orders"]}


def state_of(row: Registration) -> tuple[str, bool]:
    row = Registration.objects.select_related("order").get(pk=row.pk)
    return row.order.status, row.holds_place


@pytest.mark.usefixtures("db")
class TestCleanupExpired:
    def test_tells_each_order_and_the_counts(self, stripe, registration):
        text = told()

        assert text.splitlines() == [
            f"{registration.order.number}  Closed: no payment page was opened.",
            "1 found, 1 cleaned, 0 confirmed, 0 kept, 0 errors.",
        ]

    def test_tells_machines_one_object(self, stripe, registration):
        open_checkout(order_id=registration.order_id, at=registration.created_at)

        found = json.loads(told("--json"))

        assert (found["found"], found["cleaned"], found["dry_run"]) == (1, 1, False)
        [order] = found["orders"]
        assert (order["order"], order["decision"]) == (registration.order.number, "closed")
        assert order["answer"] == "open, unpaid"

    def test_changes_nothing_in_a_dry_run(self, stripe, registration):
        text = told("--dry-run")

        assert text.endswith("1 cleaned, 0 confirmed, 0 kept, 0 errors. Dry run: nothing was changed.\n")
        assert state_of(registration) == ("PENDING", True)

    def test_ends_at_the_limit(self, stripe, make_registration):
        for name in ("Camille Martin", "Alex Smith"):
            make_registration(name)

        assert "1 found" in told("--limit", "1")

    def test_queues_the_events_again_that_named_what_is_known_now(self, stripe, registration):
        open_checkout(order_id=registration.order_id, at=registration.created_at)
        stripe.is_paid("cs_test_1")
        event = event_of(registration, "charge.refunded", subject={"payment_intent": "pi_cs_test_1"})
        keep(event)
        rows = PaymentEvent.objects.filter(stripe_event_id=event["id"])
        rows.update(status=EventStatus.IGNORED, ignored_reason=UNMATCHED, references=["pi_cs_test_1"])

        told()

        assert rows.get().status == EventStatus.RECEIVED

    @pytest.mark.parametrize("limit", ["0", "-1", "many", "1.5"])
    def test_refuses_a_limit_that_is_none(self, limit):
        with pytest.raises(CommandError, match="no number from 1 up"):
            told("--limit", limit)

    def test_fails_when_stripe_does_not_answer(self, stripe, make_registration):
        for number in range(3):
            row = make_registration(f"Buyer {number}")
            open_checkout(order_id=row.order_id, at=row.created_at)
        stripe.troubles["retrieve"] = unavailable()

        with pytest.raises(CommandError, match="does not answer"):
            told()

    def test_fails_when_an_order_could_not_be_settled(self, stripe, registration):
        open_checkout(order_id=registration.order_id, at=registration.created_at)
        stripe.becomes("cs_test_1", status="from another planet")

        with pytest.raises(CommandError, match="could not be settled"):
            told()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestCleanupExpiredWithTheEmulator:
    def test_settles_everybody_although_no_event_ever_arrives(self, tmp_path, make_registration, activity, settings):
        rows = {name: make_registration(name) for name in ("Expired", "Open", "Paid", "Waiting", "Unopened")}
        with running_emulator(tmp_path) as emulator:
            settings.STRIPE_API_BASE = emulator.url
            opened = {}
            for name in ("Expired", "Open", "Paid", "Waiting"):
                opened[name] = open_checkout(order_id=rows[name].order_id, at=timezone.now()).session
            emulator.client.v1.checkout.sessions.expire(opened["Expired"])
            Buyer(rows["Paid"], opened["Paid"], emulator.client).pay()
            for name in ("Expired", "Open", "Paid"):
                time_is_over(rows[name].order)

            before = json.loads(told("--dry-run", "--json"))
            after = json.loads(told("--json"))

            ended = emulator.client.v1.checkout.sessions.retrieve(opened["Open"])
        activity.refresh_from_db()
        assert decided(before) == decided(after)
        assert {name: state_of(row) for name, row in rows.items()} == {
            "Expired": ("EXPIRED", False),
            "Open": ("EXPIRED", False),
            "Paid": ("PAID", True),
            "Waiting": ("PENDING", True),
            "Unopened": ("EXPIRED", False),
        }
        assert (ended.status, activity.places_taken) == ("expired", 2)

    def test_frees_the_place_after_the_session_has_run_out_at_stripe(self, tmp_path, registration, settings):
        with running_emulator(tmp_path) as emulator:
            settings.STRIPE_API_BASE = emulator.url
            open_checkout(order_id=registration.order_id, at=timezone.now())
            call_command("stripe_emulator", "advance", "35m", stdout=io.StringIO())
            time_is_over(registration.order)

            text = told()

        assert "Closed: the payment page had expired. (Stripe: expired, unpaid)" in text
        assert state_of(registration) == ("EXPIRED", False)
