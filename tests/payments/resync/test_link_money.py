"""Money that names nothing known belongs to the order that staff name, and takes the usual road from there."""

import pytest

from payments.orders.models import Order, OrderChange, OrderException, Reference
from payments.processing.drain import drain
from payments.refunds.staff_refunds import DecisionRefused
from payments.resync import link_money
from payments.resync.link_money import link_to_order, preview_link
from payments.statuses import ExceptionKind, OrderStatus
from payments.stripe_api.gateway import GatewayUnavailable
from tests.support.factories import NOON, RegistrationFactory, make_staff
from tests.support.road import event_of, hear

LOST = "0a3c6a38-2b8f-4a39-9a5e-6f1c4c2f1a11"


@pytest.fixture
def staff(db):
    return make_staff(email="finance@example.com")


@pytest.fixture
def order(db):
    return RegistrationFactory().order


@pytest.fixture
def lost(order):
    """Money for an order that is not here (any more)."""
    names = {"order": LOST, "registration": "", "session": "", "payment_intent": "pi_lost", "charge": "ch_lost"}
    hear(event_of(order.registration, "payment_intent.succeeded", subject=names))
    return OrderException.objects.get(kind=ExceptionKind.UNKNOWN_ORDER)


class TestLinkToOrder:
    def test_lets_the_event_pay_the_order(self, lost, order, staff):
        assert lost.values["amount"] == {"amount": 4900, "currency": "eur"}

        link_to_order(exception=lost, order=order, reason="paid before the restore", by=staff, at=NOON)
        drain(at=NOON)

        assert Order.objects.get().status == OrderStatus.PAID
        lost.refresh_from_db()
        assert (lost.is_open, lost.closed_by, lost.closed_reason) == (False, staff, "paid before the restore")

    def test_stands_in_the_history_of_the_order(self, lost, order, staff):
        link_to_order(exception=lost, order=order, reason="paid before the restore", by=staff, at=NOON)

        change = OrderChange.objects.get(field="linked")
        assert "pi_lost" in change.after
        assert change.source == f"{staff.email}: paid before the restore"

    def test_takes_nothing_away_from_another_order(self, lost, order, staff):
        other = RegistrationFactory().order
        Reference.objects.create(name="pi_lost", order=other)

        with pytest.raises(DecisionRefused, match="pi_lost belongs to something else already"):
            link_to_order(exception=lost, order=order, reason="mine", by=staff, at=NOON)

        lost.refresh_from_db()
        assert lost.is_open

    def test_is_refused_for_the_money_of_a_subscription(self, order, staff):
        row = OrderException.objects.create(kind=ExceptionKind.UNKNOWN_ORDER, subject="in_1", opened_at=NOON)

        with pytest.raises(DecisionRefused, match="belongs to a subscription"):
            link_to_order(exception=row, order=order, reason="mine", by=staff, at=NOON)

    def test_asks_stripe_where_no_event_has_told_of_it(self, order, staff, monkeypatch):
        row = OrderException.objects.create(kind=ExceptionKind.UNKNOWN_ORDER, subject="pi_silent", opened_at=NOON)
        asked = []
        monkeypatch.setattr(link_money, "resync_order", lambda order, *, options, also: asked.append((order, also)))

        link_to_order(exception=row, order=order, reason="mine", by=staff, at=NOON)

        assert asked == [(order, {"pi_silent"})]
        assert Reference.objects.get(name="pi_silent").order == order

    def test_stays_a_question_while_stripe_is_silent(self, order, staff, monkeypatch):
        row = OrderException.objects.create(kind=ExceptionKind.UNKNOWN_ORDER, subject="pi_silent", opened_at=NOON)

        def away(*_args, **_options):
            raise GatewayUnavailable("no answer")

        monkeypatch.setattr(link_money, "resync_order", away)

        with pytest.raises(DecisionRefused, match="Stripe could not be asked"):
            link_to_order(exception=row, order=order, reason="mine", by=staff, at=NOON)

        row.refresh_from_db()
        assert row.is_open


class TestPreview:
    def test_tells_what_the_money_would_change_and_changes_nothing(self, lost, order):
        outcome = preview_link(exception=lost, order=order, at=NOON)

        assert ("Status", "Paid") in {(change.what, change.after) for change in outcome.changes}
        assert outcome.effects, "the confirmation"
        assert Order.objects.get().status == OrderStatus.PENDING
        assert not Reference.objects.filter(name="pi_lost").exists()

    def test_is_refused_as_the_act_is(self, lost, order):
        Reference.objects.create(name="pi_lost", order=RegistrationFactory().order)

        with pytest.raises(DecisionRefused, match="belongs to something else already"):
            preview_link(exception=lost, order=order, at=NOON)
