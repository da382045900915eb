"""Pages of a list, both ways."""

import pytest

from stripe_emulator.models import StoredObject
from tests.support.emulator import refusal_of


@pytest.fixture
def customers(stripe_api):
    """Ids of five customers, one a day, the oldest first."""
    ids = [stripe_api.customers.create({"email": f"{number}@example.com"}).id for number in range(5)]
    for number, id in enumerate(ids):
        StoredObject.objects.filter(stripe_id=id).update(created=86400 * number)
    return ids


def ids_of(listed):
    return [each.id for each in listed.data]


class TestPage:
    def test_shows_the_newest_first(self, stripe_api, customers):
        page = stripe_api.customers.list({"limit": 3})

        assert ids_of(page) == customers[:1:-1]
        assert (page.has_more, page.url) == (True, "/v1/customers")

    def test_goes_on_after_the_last_one(self, stripe_api, customers):
        page = stripe_api.customers.list({"limit": 3, "starting_after": customers[2]})

        assert ids_of(page) == [customers[1], customers[0]]
        assert page.has_more is False

    def test_goes_back_before_one(self, stripe_api, customers):
        nearest = stripe_api.customers.list({"limit": 2, "ending_before": customers[1]})
        newest = stripe_api.customers.list({"limit": 2, "ending_before": customers[3]})

        assert (ids_of(nearest), nearest.has_more) == ([customers[3], customers[2]], True)
        assert (ids_of(newest), newest.has_more) == ([customers[4]], False)

    def test_keeps_the_order_of_what_was_born_in_the_same_second(self, stripe_api, customers):
        StoredObject.objects.update(created=0)

        forwards = [each.id for each in stripe_api.customers.list({"limit": 2}).auto_paging_iter()]

        assert forwards == customers[::-1]

    def test_shows_ten_when_nothing_is_said(self, stripe_api):
        for _ in range(11):
            stripe_api.customers.create({})

        assert len(stripe_api.customers.list({}).data) == 10

    def test_finds_equal_values(self, stripe_api, customers):
        assert ids_of(stripe_api.customers.list({"email": "3@example.com"})) == [customers[3]]

    @pytest.mark.parametrize(
        ("created", "expected"),
        [
            (86400, [1]),
            ({"gt": 86400}, [4, 3, 2]),
            ({"gte": 86400, "lt": 3 * 86400}, [2, 1]),
            ({"lte": 0}, [0]),
        ],
    )
    def test_finds_what_was_born_within_bounds(self, stripe_api, customers, created, expected):
        found = stripe_api.customers.list({"created": created})

        assert ids_of(found) == [customers[number] for number in expected]

    @pytest.mark.parametrize(
        ("params", "param"),
        [
            ({"limit": 0}, "limit"),
            ({"limit": 101}, "limit"),
            ({"limit": "all"}, "limit"),
            ({"starting_after": "cus_nobody"}, "starting_after"),
            ({"ending_before": "cus_nobody"}, "ending_before"),
            ({"ending_before": "cus_1", "starting_after": "cus_2"}, "ending_before"),
            ({"created": "yesterday"}, "created"),
            ({"created": {"after": 1}}, "created[after]"),
        ],
    )
    def test_refuses_what_is_no_page(self, stripe_api, params, param):
        assert refusal_of(stripe_api.customers.list, params).param == param
