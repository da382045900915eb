"""Whatever becomes of a registration, its person hears of it: each state of its order, and the mail that tells it."""

from datetime import timedelta

import pytest
from django.template.loader import get_template

from payments.effects.mail import find_writer
from payments.statuses import DisputeState, OrderStatus
from registrations.invitations import UNPAID
from registrations.models import RegistrationStatus
from registrations.services.staff_actions import present_message
from tests.support.factories import NOON, ActivityFactory, RegistrationFactory

pytestmark = pytest.mark.django_db
PAID, REFUNDED = OrderStatus.PAID, OrderStatus.REFUNDED
GIVEN_UP = {"holds_place": False, "status": RegistrationStatus.CANCELED, "given_up_at": NOON, "order__amount": 0}
OFF = {"activity__called_off_at": NOON, "activity__is_on_sale": False}
# Said by payments about the money, whatever was bought (tests/payments/orders/test_mails.py).
BY_PAYMENTS = "order.payment_taken_back"

# What became of it: the order's status, the rest, and the mail.
TOLD = {
    "begun, the page left open": (OrderStatus.PENDING, {}, UNPAID),
    "the bank asks": (OrderStatus.ACTION_REQUIRED, {}, "registration.action_required"),
    "a debit is under way": (OrderStatus.PROCESSING, {}, "registration.processing"),
    "declined": (OrderStatus.FAILED, {}, "registration.failed"),
    "declined, and the place gone": (OrderStatus.FAILED, {"holds_place": False}, "registration.failed"),
    "time ran out": (OrderStatus.EXPIRED, {}, "registration.closed"),
    "canceled": (OrderStatus.CANCELED, {}, "registration.closed"),
    "paid": (PAID, {}, "registration.confirmed"),
    "free of charge": (PAID, {"order__amount": 0}, "registration.confirmed"),
    "paid too late": (PAID, {"holds_place": False}, "registration.no_place"),
    "paid, disputed": (PAID, {"order__dispute_state": DisputeState.OPEN}, "registration.confirmed"),
    "paid, lost in a dispute": (PAID, {"order__dispute_state": DisputeState.LOST}, BY_PAYMENTS),
    "given up": (PAID, GIVEN_UP, "registration.given_up"),
    "given back": (REFUNDED, {}, "registration.refunded"),
    "called off, unpaid": (OrderStatus.PENDING, OFF, "registration.called_off"),
    "called off, under way": (OrderStatus.PROCESSING, OFF, "registration.called_off"),
    "called off, paid": (PAID, OFF, "registration.called_off"),
    "called off, given back": (REFUNDED, OFF, "registration.refunded"),
}  # fmt: skip


class TestEveryState:
    def test_of_an_order_is_told_of(self):
        assert {status for status, _rest, _kind in TOLD.values()} == set(OrderStatus)

    @pytest.mark.parametrize("became", [each for each, (*_, kind) in TOLD.items() if kind not in (UNPAID, BY_PAYMENTS)])
    def test_has_the_mail_that_the_state_asks_for(self, became):
        status, rest, kind = TOLD[became]
        row = RegistrationFactory.create(order__status=status, **rest)

        message = present_message(row)

        assert message is not None
        assert message.kind == kind

    @pytest.mark.parametrize("kind", sorted({kind for *_, kind in TOLD.values()}))
    def test_has_a_mail_that_can_be_written(self, kind):
        assert find_writer(kind)
        for ending in ("subject.txt", "txt", "html"):
            get_template(f"email/{kind}.{ending}")


class TestProcessing:
    def test_is_told_a_moment_later_because_a_card_is_under_way_for_a_moment_too(self):
        row = RegistrationFactory.create(order__status=OrderStatus.PROCESSING, order__attempt_at=NOON)

        message = present_message(row)

        assert message.not_before == NOON + timedelta(minutes=1)


class TestWaitingList:
    def test_is_left_without_a_word_by_nobody_who_is_offered_a_place(self):
        row = RegistrationFactory.create(activity=ActivityFactory(capacity=1))
        row.activity.waiting.create(name=row.name, email=row.email, language="en", created_at=NOON, offered=row)

        assert present_message(row).kind == "registration.offer"
