"""Products and prices through the official client."""

import pytest

from stripe_emulator.models import Event, StoredObject
from tests.support.emulator import official_client, refusal_of


@pytest.fixture
def course(stripe_api):
    return stripe_api.products.create({"name": "Course", "metadata": {"course": "7"}})


class TestCreate:
    def test_keeps_what_was_given(self, stripe_api, course):
        found = stripe_api.products.retrieve(course.id)

        assert (found.name, found.active, found.metadata["course"]) == ("Course", True, "7")
        assert Event.objects.get().type == "product.created"

    def test_takes_an_id_of_the_sellers_choice_once(self, stripe_api):
        stripe_api.products.create({"name": "Book", "id": "book"})

        refusal = refusal_of(stripe_api.products.create, {"name": "Other book", "id": "book"})

        assert stripe_api.products.retrieve("book").name == "Book"
        assert refusal.code == "resource_already_exists"

    def test_makes_the_default_price_that_comes_with_it(self, stripe_api):
        price = {"currency": "eur", "unit_amount": 990}

        made = stripe_api.products.create({"name": "Book", "default_price_data": price, "expand": ["default_price"]})

        assert (made.default_price.unit_amount, made.default_price.product) == (990, made.id)

    def test_refuses_a_product_without_a_name_under_any_version(self, stripe_api):
        for client in (stripe_api, official_client(version="2023-10-16").v1):
            refusal = refusal_of(client.products.create, {})

            assert (refusal.code, refusal.param) == ("parameter_missing", "name")


class TestCreatePrice:
    def test_makes_a_price_to_be_paid_once(self, stripe_api, course):
        price = stripe_api.prices.create({"product": course.id, "currency": "EUR", "unit_amount": 1500})

        assert (price.type, price.currency, price.unit_amount, price.recurring) == ("one_time", "eur", 1500, None)
        assert price.product == course.id
        assert Event.objects.last().type == "price.created"

    def test_makes_a_price_to_be_paid_again_and_again(self, stripe_api, course):
        recurring = {"interval": "year", "interval_count": 2}

        made = stripe_api.prices.create(
            {
                "product": course.id,
                "currency": "eur",
                "unit_amount": 9900,
                "nickname": "Rare",
                "recurring": recurring,
            }
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
            ({"currency": "kwd", "unit_amount": 1504}, "unit_amount"),
            ({"currency": "ugx", "unit_amount": 1550}, "unit_amount"),
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
