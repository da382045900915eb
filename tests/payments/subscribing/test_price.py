"""What Stripe takes for a price is held against the plan; the question itself is asked of the emulator."""

import pytest

from payments.stripe_api.gateway import GatewayRefused
from payments.subscribing import price as prices
from payments.subscribing.price import PriceAtStripe, UnknownPrice, find_price
from tests.support.billing import price_of
from tests.support.subscriber import emulate

PLAN = {"amount": 400, "currency": "eur", "interval": "month", "is_on_sale": True}


def at_stripe(**different):
    recurring = {"interval": "month", "interval_count": 1}
    usual = {"unit_amount": 400, "currency": "eur", "active": True, "recurring": recurring}
    return PriceAtStripe.read("price_1", {**usual, **different})


def told(**different):
    return [each.replace("\N{NO-BREAK SPACE}", " ") for each in at_stripe(**different).differences(**PLAN)]


class TestDifferences:
    def test_are_none_where_both_say_the_same(self):
        assert told() == []

    @pytest.mark.parametrize(
        ("different", "words"),
        [
            ({"unit_amount": 500}, "€5.00 a month"),
            ({"currency": "usd"}, "$4.00 a month"),
            ({"recurring": {"interval": "year", "interval_count": 1}}, "€4.00 a year"),
            ({"recurring": {"interval": "month", "interval_count": 3}}, "€4.00 every 3 × month"),
            ({"recurring": None}, "€4.00 once"),
            ({"unit_amount": None}, "no fixed amount"),
        ],
    )
    def test_say_what_stripe_would_take(self, different, words):
        assert told(**different) == [f"At Stripe price_1 is {words}; here it is €4.00 a month."]

    def test_say_that_nobody_can_subscribe_with_it(self):
        assert told(active=False) == ["price_1 is archived at Stripe: nobody can subscribe with it."]

    def test_let_a_plan_that_is_off_sale_keep_an_archived_price(self):
        assert at_stripe(active=False).differences(**{**PLAN, "is_on_sale": False}) == []


@pytest.mark.django_db
class TestFindPrice:
    @pytest.fixture(autouse=True)
    def stripe_api(self, db, monkeypatch):
        return emulate(monkeypatch)

    def test_reads_what_stripe_knows(self, stripe_api):
        made = price_of(stripe_api, 400)

        assert find_price(made.id).differences(**PLAN) == []

    def test_says_when_stripe_knows_nothing_of_it(self):
        with pytest.raises(UnknownPrice, match="price_gone"):
            find_price("price_gone")

    def test_leaves_other_refusals_as_they_are(self, monkeypatch):
        def refuse(_name):
            raise GatewayRefused(code="no_key", message="no key")

        monkeypatch.setattr(prices, "look_up_price", refuse)

        with pytest.raises(GatewayRefused):
            find_price("price_1")
