"""Money that does not fit counts all the same once staff have said so, and only then."""

import pytest

from payments.billing.models import Payment
from payments.effects.models import Effect
from payments.orders.models import Order, OrderChange, OrderException
from payments.refunds.accept import accept, can_be_accepted, preview_accept
from payments.refunds.staff_refunds import DecisionRefused
from payments.statuses import ExceptionKind, OrderStatus
from tests.support.factories import make_staff
from tests.support.road import NOON, event_of, hear

PAID = "checkout.session.completed"
SUCCEEDED = "payment_intent.succeeded"


@pytest.fixture
def staff(db):
    return make_staff(email="finance@example.com")


@pytest.fixture
def odd(registration):
    """One cent came instead of €49.00."""
    hear(event_of(registration, PAID, amount=1))
    return OrderException.objects.get(kind=ExceptionKind.AMOUNT_MISMATCH)


def foreign(registration, amount=None):
    """The right money, through a page that is not ours."""
    hear(event_of(registration, "checkout.session.expired"))
    hear(event_of(registration, PAID, subject={"session": "cs_foreign", "payment_intent": "pi_foreign"}, amount=amount))
    return OrderException.objects.get(kind=ExceptionKind.UNKNOWN_SESSION)


class TestAccept:
    def test_pays_the_order_with_what_came(self, odd, staff, registration):
        accept(exception=odd, reason="the rest came in cash", by=staff, at=NOON)

        odd.refresh_from_db()
        registration.refresh_from_db()
        assert (registration.order.status, registration.holds_place) == (OrderStatus.PAID, True)
        assert (odd.is_open, odd.closed_by, odd.closed_reason) == (False, staff, "the rest came in cash")

    def test_leaves_who_and_why_in_the_history_of_the_order(self, odd, staff):
        accept(exception=odd, reason="the rest came in cash", by=staff, at=NOON)

        change = OrderChange.objects.get(field="status", source__startswith=staff.email)
        assert (change.before, change.after) == ("PENDING", "PAID")
        assert change.source.endswith(": the rest came in cash")

    def test_holds_when_stripe_says_the_same_again(self, odd, staff, registration):
        accept(exception=odd, reason="fine", by=staff, at=NOON)

        hear(event_of(registration, SUCCEEDED, amount=1))

        assert Order.objects.get().status == OrderStatus.PAID
        assert not OrderException.objects.filter(is_open=True).exists()

    def test_of_a_foreign_page_asks_next_about_an_amount_that_differs(self, registration, staff):
        accept(exception=foreign(registration, amount=1), reason="ours", by=staff, at=NOON)

        [left] = OrderException.objects.filter(is_open=True)
        assert (left.kind, Order.objects.get().amount_received) == (ExceptionKind.AMOUNT_MISMATCH, 1)
        assert Order.objects.get().status == OrderStatus.EXPIRED

    def test_of_a_foreign_page_pays_with_the_right_amount(self, registration, staff):
        accept(exception=foreign(registration), reason="ours", by=staff, at=NOON)

        assert Order.objects.get().status == OrderStatus.PAID

    def test_is_refused_once_the_money_is_gone(self, odd, staff):
        Payment.objects.update(refunded=1)

        with pytest.raises(DecisionRefused, match="not here any more"):
            accept(exception=odd, reason="fine", by=staff, at=NOON)

    def test_is_refused_where_nothing_was_collected(self, registration, staff):
        row = OrderException.objects.create(
            kind=ExceptionKind.AMOUNT_MISMATCH, subject="cs_1", order=registration.order, opened_at=NOON,
            values={"due": {"amount": 4900, "currency": "eur"}},
        )  # fmt: skip

        assert not can_be_accepted(row)
        with pytest.raises(DecisionRefused):
            accept(exception=row, reason="fine", by=staff, at=NOON)


class TestPreviewAccept:
    def test_tells_what_would_change_and_changes_nothing(self, odd):
        mails = Effect.objects.count()

        changes, messages = preview_accept(exception=odd, at=NOON)

        assert ("status", "PENDING", "PAID") in changes
        assert messages == 1
        assert (Order.objects.get().status, Effect.objects.count()) == (OrderStatus.PENDING, mails)
        assert OrderException.objects.get().is_open
