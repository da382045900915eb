"""What the owner of a registration is told."""

import pytest

from registrations.models import Activity
from registrations.pages.checkout_return import MAX_REFRESHES, CheckoutReturn
from registrations.pages.display_state import DisplayState, display_state
from tests.support.road import NOON, event_of, hear


class TestDisplayState:
    @pytest.mark.parametrize(
        ("refreshes", "told"), [(0, DisplayState.CONFIRMING), (MAX_REFRESHES, DisplayState.UNHEARD)]
    )
    def test_never_says_to_who_has_just_paid_that_nothing_was_charged(self, registration, refreshes, told):
        hear(event_of(registration, "checkout.session.expired"))
        registration.order.refresh_from_db()

        assert display_state(registration, at=NOON, returned=CheckoutReturn(refreshes=refreshes)) == told
        assert display_state(registration, at=NOON) == DisplayState.EXPIRED

    @pytest.mark.parametrize("change", [{}, {"called_off_at": NOON}, {"starts_at": NOON}])
    def test_tells_who_gave_the_place_up_just_that(self, given_up, change):
        Activity.objects.update(**{"title": "Pottery", **change})
        given_up.activity.refresh_from_db()

        assert display_state(given_up, at=NOON) == DisplayState.GIVEN_UP
