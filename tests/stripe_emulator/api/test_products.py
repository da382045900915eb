"""Products through the official client."""

import pytest

from stripe_emulator.models import Event
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


class TestUpdate:
    def test_tells_what_was_different(self, stripe_api, course):
        stripe_api.products.update(course.id, {"name": "Long course", "metadata": {"course": ""}})

        assert stripe_api.products.retrieve(course.id).metadata.to_dict() == {}
        event = Event.objects.get(type="product.updated")
        assert event.previous == {"name": "Course", "metadata": {"course": "7"}}

    def test_empties_what_is_emptied(self, stripe_api, course):
        stripe_api.products.update(course.id, {"description": "Long", "images": ["https://a.example/1.png"]})

        emptied = stripe_api.products.update(course.id, {"description": "", "images": ""})

        assert (emptied.description, emptied.images) == (None, [])

    def test_takes_no_default_price_that_is_not_there(self, stripe_api, course):
        refusal = refusal_of(stripe_api.products.update, course.id, {"default_price": "price_none"})

        assert (refusal.code, refusal.param) == ("resource_missing", "default_price")


class TestList:
    def test_shows_those_that_are_asked_for(self, stripe_api, course):
        old = stripe_api.products.create({"name": "Old", "active": False})

        assert [each.id for each in stripe_api.products.list({"active": False}).data] == [old.id]
        assert [each.id for each in stripe_api.products.list({"ids": [course.id]}).data] == [course.id]


class TestDelete:
    def test_leaves_a_stub(self, stripe_api, course):
        stripe_api.products.delete(course.id)

        assert stripe_api.products.retrieve(course.id).deleted is True
        assert Event.objects.last().type == "product.deleted"

    def test_is_refused_while_the_product_has_a_price(self, stripe_api, course):
        stripe_api.prices.create({"product": course.id, "currency": "eur", "unit_amount": 500})

        refusal = refusal_of(stripe_api.products.delete, course.id)

        assert "one or more user-created prices" in refusal.user_message
        assert stripe_api.products.retrieve(course.id).name == "Course"
