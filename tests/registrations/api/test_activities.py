from datetime import timedelta

import pytest

from registrations.models import Activity, WaitingEntry
from tests.registrations.api.conftest import code_of
from tests.support.road import NOON


class TestList:
    def test_shows_what_is_on_sale_the_soonest_first(self, api, make_activity):
        make_activity(slug="later")
        make_activity(slug="sooner", capacity=3)
        Activity.objects.filter(slug="sooner").update(starts_at=NOON + timedelta(days=1), place="Lyon")

        page = api.get("/api/activities/").json()

        assert (page["count"], page["next"], page["previous"]) == (2, None, None)
        assert [one["slug"] for one in page["results"]] == ["sooner", "later"]
        assert page["results"][0] == {
            "slug": "sooner",
            "title": "Sooner",
            "description": "",
            "starts_at": "2026-03-03T13:00:00+01:00",
            "place": "Lyon",
            "price": 4900,
            "currency": "eur",
            "capacity": 3,
            "places_left": 3,
            "state": "open",
        }

    @pytest.mark.parametrize(
        "hidden", [{"is_on_sale": False}, {"called_off_at": NOON}, {"starts_at": NOON - timedelta(seconds=1)}]
    )
    def test_leaves_out_what_is_not(self, api, activity, hidden):
        Activity.objects.update(**hidden)

        assert api.get("/api/activities/").json()["results"] == []

    def test_comes_in_pages(self, api, make_activity):
        for number in range(101):
            make_activity(slug=f"number-{number}")

        first = api.get("/api/activities/").json()
        second = api.get(first["next"]).json()

        assert (len(first["results"]), len(second["results"]), second["next"]) == (100, 1, None)
        assert len({one["slug"] for one in first["results"] + second["results"]}) == 101

    @pytest.mark.parametrize("page", ["0", "2", "-1", "x", "9" * 50])
    def test_has_no_other_pages(self, api, activity, page):
        assert api.get("/api/activities/", {"page": page}).status_code == 404

    def test_costs_two_queries_however_many_there_are(self, api, make_activity, django_assert_num_queries):
        for number in range(20):
            make_activity(slug=f"number-{number}")

        with django_assert_num_queries(2):
            api.get("/api/activities/")

    def test_is_never_kept_by_caches_and_sets_no_cookie(self, api, activity):
        response = api.get("/api/activities/")

        assert "no-store" in response["Cache-Control"]
        assert not response.cookies


class TestOne:
    def test_counts_places_at_this_moment(self, api, activity, make_registration):
        make_registration()

        assert api.get("/api/activities/pottery/").json()["places_left"] == 9

    @pytest.mark.parametrize(
        ("change", "state"),
        [
            ({}, "open"),
            ({"places_taken": 10}, "full"),
            ({"is_on_sale": False}, "paused"),
            ({"starts_at": NOON}, "ended"),
            ({"called_off_at": NOON}, "called_off"),
        ],
    )
    def test_says_whether_one_can_register(self, api, activity, change, state):
        Activity.objects.update(**change)

        assert api.get("/api/activities/pottery/").json()["state"] == state

    def test_is_full_while_somebody_waits(self, api, activity):
        WaitingEntry.objects.create(activity=activity, name="A", email="a@example.com", language="fr", created_at=NOON)

        assert api.get("/api/activities/pottery/").json()["state"] == "full"

    def test_is_404_where_there_is_none(self, api):
        response = api.get("/api/activities/nothing/")

        assert (response.status_code, code_of(response)) == (404, "not_found")
