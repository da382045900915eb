"""Prices through the official client."""

import pytest

from stripe_emulator.models import Event, StoredObject
from tests.support.emulator import official_client, refusal_of

MONTHLY = {"interval": "month"}


@pytest.fixture
def course(stripe_api):
    return stripe_api.products.create({"name": "Course"})


@pytest.fixture
def price(stripe_api, course):
    return stripe_api.prices.create({"product": course.id, "currency": "EUR", "unit_amount": 1500})


class TestCreate:
    def test_makes_a_price_to_be_paid_once(self, stripe_api, price, course):
        assert (price.type, price.currency, price.unit_amount, price.recurring) == ("one_time", "eur", 1500, None)
        assert price.product == course.id
        assert Event.objects.last().type == "price.created"

    def test_makes_a_price_to_be_paid_again_and_again(self, stripe_api, course):
        recurring = {"interval": "year", "interval_count": 2}

        made = stripe_api.prices.create(
            {"product": course.id, "currency": "eur", "unit_amount": 9900, "nickname": "Rare", "recurring": recurring}
        )

        assert (made.type, made.nickname) == ("recurring", "Rare")
        assert (made.recurring.interval, made.recurring.interval_count) == ("year", 2)

    def test_makes_the_product_that_comes_with_it(self, stripe_api):
        made = stripe_api.prices.create(
            {"product_data": {"name": "Book"}, "currency": "jpy", "unit_amount": 800, "expand": ["product"]}
        )

        assert made.product.name == "Book"

    @pytest.mark.parametrize(
        ("wrong", "param"),
        [
            ({"currency": "xxx"}, "currency"),
            ({"unit_amount": -1}, "unit_amount"),
            ({"unit_amount": 1_000_000_000}, "unit_amount"),
            ({"unit_amount": None, "unit_amount_decimal": "12.5"}, "unit_amount"),
            ({"product": "prod_none"}, "product"),
            ({"product_data": {"name": "Book"}}, "product"),
            ({"recurring": {"interval": "month", "interval_count": 37}}, "recurring[interval_count]"),
            ({"recurring": {"interval": "month", "interval_count": 0}}, "recurring[interval_count]"),
            ({"recurring": {"interval": "month", "usage_type": "metered"}}, "recurring[usage_type]"),
            ({"tiers": [{"up_to": "inf", "unit_amount": 5}]}, "tiers"),
        ],
    )
    def test_refuses_what_makes_no_sense_and_keeps_nothing(self, stripe_api, course, wrong, param):
        params = {"product": course.id, "currency": "eur", "unit_amount": 1500, **wrong}

        refusal = refusal_of(
            stripe_api.prices.create, {name: told for name, told in params.items() if told is not None}
        )

        assert refusal.param == param
        assert not StoredObject.objects.filter(kind="price").exists()

    @pytest.mark.parametrize("left_out", ["currency", "unit_amount"])
    def test_refuses_less_than_it_needs_under_any_version(self, stripe_api, course, left_out):
        params = {"product": course.id, "currency": "eur", "unit_amount": 1500}
        del params[left_out]

        refusal = refusal_of(official_client(version="2023-10-16").v1.prices.create, params)

        assert (refusal.code, refusal.param) == ("parameter_missing", left_out)


class TestUpdate:
    def test_tells_what_was_different(self, stripe_api, price):
        stripe_api.prices.update(price.id, {"active": False})

        assert stripe_api.prices.retrieve(price.id).active is False
        assert Event.objects.get(type="price.updated").previous == {"active": True}

    def test_hands_a_lookup_key_over_only_when_told_to(self, stripe_api, course, price):
        stripe_api.prices.update(price.id, {"lookup_key": "usual"})
        other = {"product": course.id, "currency": "eur", "unit_amount": 1700, "lookup_key": "usual"}

        refusal = refusal_of(stripe_api.prices.create, other)
        dearer = stripe_api.prices.create({**other, "transfer_lookup_key": True})

        assert refusal.param == "lookup_key"
        assert [each.id for each in stripe_api.prices.list({"lookup_keys": ["usual"]}).data] == [dearer.id]
        assert stripe_api.prices.retrieve(price.id).lookup_key is None


class TestList:
    def test_shows_those_that_are_asked_for(self, stripe_api, course, price):
        monthly = stripe_api.prices.create(
            {"product": course.id, "currency": "usd", "unit_amount": 900, "recurring": MONTHLY}
        )

        for wanted in ({"type": "recurring"}, {"currency": "usd"}, {"recurring": MONTHLY}):
            assert [each.id for each in stripe_api.prices.list({"product": course.id, **wanted}).data] == [monthly.id]
        assert stripe_api.prices.list({"active": False}).data == []
