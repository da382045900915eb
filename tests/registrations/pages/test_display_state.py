"""What the owner of a registration is told."""

import pytest

from payments.pages.checkout_return import REFRESH_DELAYS, CheckoutReturn
from registrations.models import Activity
from registrations.pages.display_state import RegistrationDisplayState, display_state_of
from tests.support.road import NOON, event_of, hear


class TestDisplayStateOf:
    @pytest.mark.parametrize(
        ("refreshes", "told"),
        [(0, RegistrationDisplayState.CONFIRMING), (len(REFRESH_DELAYS), RegistrationDisplayState.UNCONFIRMED)],
    )
    def test_never_says_to_who_has_just_paid_that_nothing_was_charged(self, registration, refreshes, told):
        hear(event_of(registration, "checkout.session.expired"))
        registration.order.refresh_from_db()

        returned = CheckoutReturn(registration.order, refreshes=refreshes)
        assert display_state_of(registration, at=NOON, returned=returned) == told
        assert display_state_of(registration, at=NOON) == RegistrationDisplayState.EXPIRED

    @pytest.mark.parametrize("change", [{}, {"called_off_at": NOON}, {"starts_at": NOON}])
    def test_tells_who_gave_the_place_up_just_that(self, given_up, change):
        Activity.objects.update(**{"title": "Pottery", **change})
        given_up.activity.refresh_from_db()

        assert display_state_of(given_up, at=NOON) == RegistrationDisplayState.GIVEN_UP
