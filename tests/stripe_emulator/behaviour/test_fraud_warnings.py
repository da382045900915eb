"""A card of which its network suspects fraud: Stripe tells so, and when nothing can be done any more."""

import pytest

from stripe_emulator.behaviour.disputes import open_dispute
from stripe_emulator.behaviour.refunds import refund
from stripe_emulator.models import StoredObject
from tests.support.emulated_payments import event_types, pay

KIND = "radar.early_fraud_warning"


@pytest.fixture
def charge(stripe_api):
    """49 €, suspected at once."""
    return StoredObject.objects.get(stripe_id=pay(stripe_api, "pm_card_createIssuerFraudRecord").latest_charge)


def is_actionable():
    return StoredObject.objects.get(kind=KIND).data["actionable"]


class TestWarn:
    def test_tells_of_the_charge_after_it_has_succeeded(self, charge):
        warning = StoredObject.objects.get(kind=KIND).data

        assert event_types()[-1] == f"{KIND}.created"
        assert (warning["charge"], warning["fraud_type"]) == (charge.stripe_id, "made_with_stolen_card")
        assert is_actionable()


class TestSettle:
    def test_follows_when_all_has_gone_back(self, charge):
        refund(charge, at=charge.created, amount=900)
        assert is_actionable()

        refund(charge, at=charge.created)

        assert (is_actionable(), event_types()[-1]) == (False, f"{KIND}.updated")

    def test_follows_a_dispute(self, charge):
        open_dispute(charge, at=charge.created)

        assert (is_actionable(), event_types()[-1]) == (False, f"{KIND}.updated")
