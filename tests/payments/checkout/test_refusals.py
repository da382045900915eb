"""What Stripe refuses to everybody is one question, however many buyers meet it, until it works again."""

from datetime import timedelta

import pytest

from payments.checkout.open_checkout import open_checkout
from payments.checkout.refusals import Cause, asking_about_refusals
from payments.orders.models import OrderException
from payments.stripe_api.gateway import GatewayRefused
from tests.support.fake_gateway import refused, unavailable
from tests.support.road import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(minutes=1)
TOO_SMALL = {"code": "amount_too_small", "message": "The Checkout Session's total must convert to at least 50 cents."}


def asked():
    return list(OrderException.objects.order_by("pk").values_list("kind", "subject", "is_open"))


def is_refused(gateway, order, **refusal):
    gateway.will(GatewayRefused(**{**TOO_SMALL, **refusal}))
    with pytest.raises(GatewayRefused):
        open_checkout(order_id=order.pk, at=NOON)


class TestRefusedCheckout:
    def test_asks_about_the_activity_with_its_price_and_stripes_words(self, gateway, registration):
        is_refused(gateway, registration.order)

        question = OrderException.objects.get()
        told = question.detail_text.replace("\N{NO-BREAK SPACE}", " ")
        assert asked() == [("CHECKOUT_REFUSED", f"price:registration:{registration.activity.slug}", True)]
        assert "€49.00" in told
        assert "must convert to at least 50 cents." in told
        assert question.order is None

    def test_asks_once_however_many_buyers_meet_it(self, gateway, make_registration):
        for name in ("Alex Smith", "Kim Jones"):
            is_refused(gateway, make_registration(name).order)

        assert len(asked()) == 1

    def test_says_what_stripe_says_last(self, gateway, make_registration):
        is_refused(gateway, make_registration("Alex Smith").order)
        is_refused(gateway, make_registration("Kim Jones").order, message="The price is inactive.")

        assert "The price is inactive." in OrderException.objects.get().detail_text

    def test_closes_when_somebody_can_buy_it_again(self, gateway, registration):
        is_refused(gateway, registration.order)

        open_checkout(order_id=registration.order_id, at=LATER)

        [(_kind, _subject, is_open)] = asked()
        assert not is_open

    def test_leaves_another_activity_s_question_open(self, gateway, registration, make_activity, make_registration):
        is_refused(gateway, registration.order)

        open_checkout(order_id=make_registration("Alex Smith", of=make_activity(slug="other")).order_id, at=LATER)

        [(_kind, _subject, is_open)] = asked()
        assert is_open

    def test_is_no_question_while_stripe_only_does_not_answer(self, gateway, registration):
        gateway.will(unavailable())

        with pytest.raises(Exception, match="not available"):
            open_checkout(order_id=registration.order_id, at=NOON)

        assert asked() == []

    def test_is_no_question_of_the_price_when_a_key_was_used_twice(self, gateway, registration):
        is_refused(gateway, registration.order, code="idempotency_error")

        assert asked() == []


class TestAskingAboutRefusals:
    CAUSE = Cause("portal", "Customer portal")

    def ask(self, *, trouble=None):
        with asking_about_refusals(self.CAUSE, at=NOON):
            if trouble:
                raise trouble

    def test_opens_and_closes_the_question(self):
        with pytest.raises(GatewayRefused):
            self.ask(trouble=refused("resource_missing"))
        assert asked() == [("CHECKOUT_REFUSED", "portal", True)]

        self.ask()

        assert asked() == [("CHECKOUT_REFUSED", "portal", False)]

    def test_leaves_what_a_bank_declines_to_the_person(self):
        with pytest.raises(GatewayRefused):
            self.ask(trouble=GatewayRefused(code="card_declined", message="Declined.", is_declined=True))

        assert asked() == []
