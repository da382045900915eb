"""The demo data: people in every activity, however many places a visitor may hold at once."""

from datetime import UTC, datetime

import pytest

from payments.statuses import OrderStatus
from registrations.management.commands.seed_demo import ACTIVITIES, PEOPLE, seed
from registrations.models import Activity, Registration

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class TestSeed:
    def test_fills_every_activity_that_shows_people_whatever_a_visitor_may_hold(self, settings):
        settings.HOLDS_PER_ADDRESS = settings.HOLDS_PER_CLIENT = 1

        made = seed(at=NOON)

        assert len(made) == len(PEOPLE) * sum(spec.has_people for spec in ACTIVITIES)

    def test_confirms_the_free_places_so_that_one_activity_is_full(self):
        seed(at=NOON)

        kiln = Activity.objects.get(slug="kiln")
        assert kiln.places_taken == kiln.capacity
        statuses = Registration.objects.filter(activity=kiln).values_list("order__status", flat=True)
        assert set(statuses) == {OrderStatus.PAID}

    def test_makes_nothing_a_second_time(self):
        seed(at=NOON)

        assert seed(at=NOON) == []
