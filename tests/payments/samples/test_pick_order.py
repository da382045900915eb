"""Which order a made-up event is about, and what it is told of it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from payments.billing.models import Payment
from payments.orders.models import CheckoutAttempt, Order, Reference
from payments.orders.opening import open_order
from payments.samples.story import NoOrder, pick_order, subject_of
from payments.statuses import OrderStatus

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
REGISTRATION = "f3b1a1f4-0f5e-4f0c-8a57-6f1b8a0f2b22"
PAID_EVENT, REFUND_EVENT = "payment_intent.succeeded", "refund.created"


def an_order(*, minutes: int = 0, status: str = OrderStatus.PENDING, names: tuple[str, ...] = ()) -> Order:
    at = NOON + timedelta(minutes=minutes)
    paid_at = at if status in (OrderStatus.PAID, OrderStatus.REFUNDED) else None
    order = Order(
        kind="sample", email="camille@example.com", amount=4900, currency="eur", created_at=at, status=status,
        paid_at=paid_at, amount_received=4900 if paid_at else 0,
    )  # fmt: skip
    return open_order(order, names=names, expires_at=None, at=at)


@pytest.fixture
def waiting_order():
    return an_order(names=("registration:Reg-12", f"registration:{REGISTRATION}"))


class TestPickOrder:
    def test_finds_it_by_every_name_that_people_know(self, waiting_order):
        an_order(minutes=5)

        for given in (waiting_order.number, waiting_order.number.lower(), str(waiting_order.pk)):
            assert pick_order(PAID_EVENT, order=given) == waiting_order
        assert pick_order(PAID_EVENT, order=f" {str(waiting_order.public_id).upper()} ") == waiting_order

    @pytest.mark.parametrize("given", ["Reg-12", REGISTRATION, REGISTRATION.upper()])
    def test_finds_it_by_its_registration(self, waiting_order, given):
        an_order(minutes=5)

        assert pick_order(PAID_EVENT, registration=given) == waiting_order

    @pytest.mark.parametrize("given", ["O-999999", "9" * 18, "9" * 40, "camille", REGISTRATION])
    def test_says_how_an_order_is_named(self, waiting_order, given):
        with pytest.raises(NoOrder, match="give its number"):
            pick_order(PAID_EVENT, order=given)

    def test_says_how_a_registration_is_named(self, waiting_order):
        with pytest.raises(NoOrder, match="There is no registration 'Reg-13'"):
            pick_order(PAID_EVENT, registration="Reg-13")

    def test_takes_the_newest_that_still_waits(self, waiting_order):
        newer = an_order(minutes=5, status=OrderStatus.FAILED)
        an_order(minutes=9, status=OrderStatus.PAID)
        an_order(minutes=9, status=OrderStatus.EXPIRED)

        assert pick_order(PAID_EVENT) == newer

    @pytest.mark.parametrize("event_type", [REFUND_EVENT, "charge.refunded", "charge.dispute.created"])
    @pytest.mark.parametrize("status", [OrderStatus.PAID, OrderStatus.REFUNDED])
    def test_takes_the_newest_that_was_paid_for_what_comes_after_payment(self, event_type, status, waiting_order):
        paid = an_order(minutes=-5, status=status)

        assert pick_order(event_type) == paid

    def test_passes_over_what_was_paid_without_money(self):
        paid, free = an_order(status=OrderStatus.PAID), an_order(minutes=5, status=OrderStatus.PAID)
        Order.objects.filter(pk=free.pk).update(amount_received=0)

        assert pick_order(REFUND_EVENT) == paid

    @pytest.mark.parametrize("given", [{"order": ""}, {"registration": ""}])
    def test_takes_no_empty_name_for_the_newest(self, waiting_order, given):
        with pytest.raises(NoOrder, match="''"):
            pick_order(PAID_EVENT, **given)

    def test_says_where_orders_come_from_when_there_is_none(self):
        with pytest.raises(NoOrder, match="seed_demo"):
            pick_order(PAID_EVENT)

    def test_says_what_to_do_when_none_waits(self):
        an_order(status=OrderStatus.PAID)

        with pytest.raises(NoOrder, match="No order waits for payment"):
            pick_order(PAID_EVENT)

    def test_says_what_to_do_when_none_is_paid(self, waiting_order):
        with pytest.raises(NoOrder, match=r"send payment_intent\.succeeded first"):
            pick_order(REFUND_EVENT)


class TestSubjectOf:
    def test_tells_the_order_and_its_first_attempt(self, waiting_order):
        subject = subject_of(waiting_order)

        assert (subject.order, subject.registration) == (str(waiting_order.public_id), REGISTRATION)
        assert (subject.amount, subject.currency, subject.email) == (4900, "eur", "camille@example.com")
        assert (subject.site, subject.livemode) == (settings.SITE_NAME, settings.STRIPE_LIVEMODE)
        assert (subject.attempt, subject.session, subject.payment_intent) == (1, "", "")
        assert subject.began_at == NOON

    def test_calls_the_registration_as_it_was_asked_for(self, waiting_order):
        assert subject_of(waiting_order, registration="Reg-12").registration == "Reg-12"

    def test_tells_the_newest_attempt(self, waiting_order):
        later = NOON + timedelta(hours=1)
        CheckoutAttempt.objects.create(order=waiting_order, number=2, session="cs_test_2", created_at=later)

        subject = subject_of(waiting_order)

        assert (subject.attempt, subject.session, subject.began_at) == (2, "cs_test_2", later)

    def test_tells_the_payment_that_is_known(self, waiting_order):
        Payment.objects.create(key="pi_real", order=waiting_order, charge="ch_real", paid_at=NOON)

        subject = subject_of(waiting_order)

        assert (subject.payment_intent, subject.charge) == ("pi_real", "ch_real")

    def test_tells_the_payment_intent_of_the_try_under_way(self, waiting_order):
        Reference.objects.create(name="pi_tried", order=waiting_order, attempt=1)
        Reference.objects.create(name="pi_later", order=waiting_order, attempt=2)

        assert subject_of(waiting_order).payment_intent == "pi_tried"

    def test_makes_no_payment_intent_of_a_session(self, waiting_order):
        Payment.objects.create(key="cs_test_1", order=waiting_order, paid_at=NOON)

        assert subject_of(waiting_order).payment_intent == ""

    def test_does_without_any_attempt(self):
        order = Order.objects.create(kind="sample", amount=0, currency="eur", created_at=NOON)

        subject = subject_of(order)

        assert (subject.attempt, subject.registration, subject.began_at) == (1, "", NOON)
