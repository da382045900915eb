"""What the owner of a registration is told."""

import pytest

from registrations.models import Activity
from registrations.pages.standing import MOST_LOOKS, Return, Standing, standing_of
from tests.support.road import NOON, event_of, hear


class TestStandingOf:
    @pytest.mark.parametrize(("looks", "told"), [(0, Standing.CONFIRMING), (MOST_LOOKS, Standing.UNHEARD)])
    def test_never_says_to_who_has_just_paid_that_nothing_was_charged(self, registration, looks, told):
        hear(event_of(registration, "checkout.session.expired"))
        registration.order.refresh_from_db()

        assert standing_of(registration, at=NOON, returned=Return(looks=looks)) == told
        assert standing_of(registration, at=NOON) == Standing.EXPIRED

    @pytest.mark.parametrize("change", [{}, {"called_off_at": NOON}, {"starts_at": NOON}])
    def test_tells_who_gave_the_place_up_just_that(self, given_up, change):
        Activity.objects.update(**{"title": "Pottery", **change})
        given_up.activity.refresh_from_db()

        assert standing_of(given_up, at=NOON) == Standing.GIVEN_UP
