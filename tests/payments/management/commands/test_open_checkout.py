"""`manage.py open_checkout`: what people read."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone, translation

from payments.checkout import open_checkout as checkout
from payments.orders.models import Order
from tests.support.fake_gateway import FakeGateway, refused, unavailable
from tests.support.resync import all_rows, differences


@pytest.fixture
def gateway(monkeypatch):
    fake = FakeGateway()
    for name in ("create_checkout_session", "retrieve_checkout_session"):
        monkeypatch.setattr(checkout, name, getattr(fake, name))
    return fake


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("open_checkout", *arguments, stdout=out)
    return out.getvalue()


class TestOpenCheckout:
    def test_tells_where_and_until_when_to_pay(self, gateway, registration):
        text = told(registration.order.number)

        until = timezone.localtime(timezone.now() + timedelta(minutes=31)).strftime("%Y-%m-%d")
        assert f"{registration.order.number} Pottery, €49.00: can be paid until {until}" in text
        assert text.splitlines()[-1] == "https://pay.example/cs_test_1"

    def test_finds_the_order_by_number_id_registration_or_by_being_the_newest(self, gateway, registration):
        order = registration.order
        ways = ([order.number], [str(order.public_id)], ["--registration", str(registration.public_id)], [])

        assert {told(*way) for way in ways} == {told(str(order.pk))}

    def test_tells_machines_one_object(self, gateway, registration):
        found = json.loads(told(registration.order.number, "--json"))

        assert (found["order"], found["attempt"]) == (registration.order.number, 1)
        assert (found["session"], found["url"]) == ("cs_test_1", "https://pay.example/cs_test_1")
        assert found["expires_at"].endswith("+00:00")

    @pytest.mark.parametrize("fields", [{"amount": 0}, {"kind": "gone"}, {"kind": "plan"}, {"status": "PROCESSING"}])
    def test_passes_over_what_nobody_can_pay(self, gateway, registration, make_registration, fields):
        Order.objects.filter(pk=make_registration("Alex Smith").order_id).update(**fields)

        assert told().startswith(registration.order.number)

    def test_speaks_english_whatever_the_site_speaks(self, gateway, registration):
        Order.objects.update(status="PAID", paid_at=timezone.now())

        with translation.override("fr"), pytest.raises(CommandError, match="has been paid"):
            told(registration.order.number)


class TestOpenCheckoutRefuses:
    def test_to_begin_without_a_key(self, registration, settings):
        settings.STRIPE_SECRET_KEY = ""
        before = all_rows()

        with pytest.raises(CommandError, match="STRIPE_SECRET_KEY is not set"):
            told(registration.order.number)

        assert differences(before, all_rows()) == []

    def test_where_nobody_can_pay_anything(self, gateway, registration):
        Order.objects.update(amount=0)

        with pytest.raises(CommandError, match="No order waits for a payment"):
            told()

    @pytest.mark.parametrize("words", [["O-999999"], ["nonsense"], ["--registration", "nonsense"]])
    def test_an_order_that_is_unknown(self, gateway, registration, words):
        with pytest.raises(CommandError, match="There is no"):
            told(*words)

    def test_two_names_at_once(self, gateway, registration):
        with pytest.raises(CommandError, match="not both"):
            told(registration.order.number, "--registration", str(registration.public_id))

    def test_an_order_that_is_paid(self, gateway, registration):
        Order.objects.update(status="PAID", paid_at=timezone.now())

        with pytest.raises(CommandError, match="has been paid"):
            told(registration.order.number)

    def test_what_stripe_refuses(self, gateway, registration):
        gateway.will(refused())

        with pytest.raises(CommandError, match=r"Stripe refuses: .* too small\. \(amount_too_small, req_1\)"):
            told(registration.order.number)

    def test_to_pretend_when_stripe_is_away(self, gateway, registration):
        gateway.will(unavailable())

        with pytest.raises(CommandError, match="not available"):
            told(registration.order.number)
