"""The order fold (docs/adr/0002-order-fold.md), seen through the road."""

from datetime import timedelta

import pytest

from payments.orders.models import Order, OrderChange, OrderException
from payments.statuses import OrderStatus
from tests.support.road import NOON, event_of, hear

pytestmark = pytest.mark.django_db

COMPLETED, SUCCEEDED = "checkout.session.completed", "payment_intent.succeeded"
DECLINED, EXPIRED, CANCELED = (
    "payment_intent.payment_failed",
    "checkout.session.expired",
    "payment_intent.canceled",
)


def order_of(registration) -> Order:
    return Order.objects.get(pk=registration.order_id)


def open_questions() -> list[str]:
    return sorted(OrderException.objects.filter(is_open=True).values_list("kind", flat=True))


class TestPaid:
    def test_beats_a_later_expiry(self, registration):
        hear(event_of(registration, COMPLETED, at=NOON))

        hear(event_of(registration, EXPIRED, at=NOON + timedelta(hours=1)))

        assert order_of(registration).status == OrderStatus.PAID

    def test_beats_an_expiry_that_was_heard_first(self, registration):
        hear(event_of(registration, EXPIRED, at=NOON))

        hear(event_of(registration, SUCCEEDED, at=NOON + timedelta(minutes=1)))

        order = order_of(registration)
        assert (order.status, order.paid_at) == (OrderStatus.PAID, NOON + timedelta(minutes=1))

    def test_is_dated_by_the_earliest_news(self, registration):
        hear(event_of(registration, SUCCEEDED, at=NOON + timedelta(seconds=9)))

        hear(event_of(registration, COMPLETED, at=NOON))

        assert order_of(registration).paid_at == NOON

    def test_counts_the_same_money_once(self, registration):
        hear(event_of(registration, SUCCEEDED), event_of(registration, COMPLETED))

        assert order_of(registration).amount_received == 4900

    @pytest.mark.parametrize("shape", ["2023-10-16", "current"])
    def test_is_understood_in_both_shapes(self, registration, shape):
        hear(event_of(registration, COMPLETED, shape=shape))

        assert order_of(registration).status == OrderStatus.PAID

    def test_needs_the_exact_amount(self, registration):
        hear(event_of(registration, COMPLETED, amount=4899))

        order = order_of(registration)
        assert (order.status, order.amount_received) == (OrderStatus.PENDING, 4899)
        assert open_questions() == ["AMOUNT_MISMATCH"]
        told = OrderException.objects.get(is_open=True).detail_text
        assert told.replace("\N{NO-BREAK SPACE}", " ") == "48.99 EUR, expected 49.00 EUR"

    def test_needs_the_right_currency(self, registration):
        hear(event_of(registration, COMPLETED, subject={"currency": "usd"}))

        assert order_of(registration).status == OrderStatus.PENDING
        assert open_questions() == ["AMOUNT_MISMATCH"]

    def test_does_not_come_from_a_session_that_asked_for_nothing(self, registration):
        hear(event_of(registration, COMPLETED, status="no_payment_required"))

        assert order_of(registration).status == OrderStatus.PENDING
        assert open_questions() == ["AMOUNT_MISMATCH"]

    def test_comes_without_money_for_what_is_free(self, make_activity, make_registration):
        registration = make_registration(of=make_activity(slug="talk", price=0))

        hear(event_of(registration, COMPLETED))

        assert order_of(registration).status == OrderStatus.PAID

    def test_does_not_come_from_a_session_of_somebody_else(self, registration):
        hear(event_of(registration, EXPIRED, subject={"session": "cs_test_ours"}))

        hear(event_of(registration, COMPLETED, subject={"session": "cs_test_theirs"}))

        assert order_of(registration).status == OrderStatus.EXPIRED
        assert open_questions() == ["UNKNOWN_SESSION"]

    def test_is_taken_back_when_the_payment_turns_out_to_be_of_another_session(self, registration):
        hear(event_of(registration, EXPIRED, subject={"session": "cs_test_ours"}))
        hear(event_of(registration, SUCCEEDED))

        hear(event_of(registration, COMPLETED, subject={"session": "cs_test_theirs"}))

        assert order_of(registration).status == OrderStatus.EXPIRED


class TestTries:
    def test_keep_the_later_one(self, registration):
        hear(event_of(registration, "payment_intent.processing", at=NOON + timedelta(seconds=2)))

        hear(event_of(registration, DECLINED, at=NOON))

        assert order_of(registration).status == OrderStatus.PROCESSING

    def test_decide_within_one_second_by_rank(self, registration):
        hear(event_of(registration, DECLINED, at=NOON))

        hear(event_of(registration, "payment_intent.requires_action", at=NOON))

        assert order_of(registration).status == OrderStatus.FAILED

    def test_keep_why_the_payment_failed(self, registration):
        hear(event_of(registration, DECLINED, decline_code="expired_card"))

        order = order_of(registration)
        assert (order.failure_code, order.failed_charge[:3]) == ("expired_card", "ch_")

    def test_stay_open_after_the_end_of_an_older_session(self, registration):
        Order.objects.filter(pk=registration.order_id).update(attempt_number=2)

        (event,) = hear(event_of(registration, EXPIRED, attempt=1))

        assert order_of(registration).status == OrderStatus.PENDING
        assert event.attempt_rows.get().changes == [{"what": "superseded", "before": "EXPIRED", "after": "PENDING"}]


class TestRefund:
    def test_of_all_the_money_makes_the_order_refunded(self, registration):
        hear(event_of(registration, COMPLETED), event_of(registration, "charge.refunded"))

        assert order_of(registration).status == OrderStatus.REFUNDED

    def test_of_a_part_leaves_it_paid(self, registration):
        hear(event_of(registration, COMPLETED), event_of(registration, "refund.created", amount=900))

        order = order_of(registration)
        assert (order.status, order.amount_refunded) == (OrderStatus.PAID, 900)

    def test_that_fails_brings_the_payment_back(self, registration):
        hear(event_of(registration, COMPLETED), event_of(registration, "charge.refunded"))

        hear(event_of(registration, "refund.failed"))

        order = order_of(registration)
        assert (order.status, order.amount_refunded) == (OrderStatus.PAID, 0)

    def test_told_by_charge_and_by_rows_counts_once(self, registration):
        hear(
            event_of(registration, COMPLETED),
            event_of(registration, "refund.created", amount=900, status="pending"),
            event_of(registration, "charge.refunded", amount=900),
        )

        assert order_of(registration).amount_refunded == 900

    def test_of_a_second_payment_leaves_the_order_paid_and_closes_the_question(self, registration):
        second = {"payment_intent": "pi_second", "charge": "ch_second", "session": ""}
        hear(event_of(registration, COMPLETED), event_of(registration, SUCCEEDED, subject=second))
        asked = open_questions()

        hear(event_of(registration, "charge.refunded", subject=second))

        assert asked == ["SECOND_PAYMENT"]
        assert open_questions() == []
        assert order_of(registration).status == OrderStatus.PAID


class TestDispute:
    def test_is_laid_over_the_order_while_it_is_open(self, registration):
        hear(event_of(registration, COMPLETED), event_of(registration, "charge.dispute.created"))

        order = order_of(registration)
        assert (order.status, order.dispute_state) == (OrderStatus.PAID, "OPEN")

    def test_that_is_won_after_it_was_lost_counts_as_won(self, registration):
        hear(event_of(registration, COMPLETED), event_of(registration, "charge.dispute.closed", status="lost"))

        hear(event_of(registration, "charge.dispute.closed", status="won", at=NOON + timedelta(days=9)))

        assert order_of(registration).dispute_state == ""

    def test_is_matched_by_its_charge_alone(self, registration):
        hear(event_of(registration, SUCCEEDED))
        dispute = event_of(registration, "charge.dispute.created")
        dispute["data"]["object"]["payment_intent"] = None

        hear(dispute)

        assert order_of(registration).dispute_state == "OPEN"

    def test_of_one_of_two_payments_leaves_the_order_undisputed(self, registration):
        second = {"payment_intent": "pi_second", "charge": "ch_second", "session": ""}
        hear(event_of(registration, COMPLETED), event_of(registration, SUCCEEDED, subject=second))

        hear(event_of(registration, "charge.dispute.closed", status="lost", subject=second))

        assert order_of(registration).dispute_state == ""


class TestHistory:
    def test_names_the_event_behind_each_change(self, registration):
        (event,) = hear(event_of(registration, COMPLETED))

        change = OrderChange.objects.get(order_id=registration.order_id, field="status")
        assert (change.before, change.after, change.event) == ("PENDING", "PAID", event)

    def test_does_not_grow_when_nothing_changes(self, registration):
        hear(event_of(registration, COMPLETED))
        before = OrderChange.objects.count()

        hear(event_of(registration, COMPLETED))

        assert OrderChange.objects.count() == before
