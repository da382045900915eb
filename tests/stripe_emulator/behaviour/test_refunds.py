"""Refunds and what becomes of them later."""

import pytest

from stripe_emulator.behaviour.refunds import complete_refund, fail_refund, refund
from stripe_emulator.errors import StripeRefusal
from stripe_emulator.models import StoredObject
from tests.support.emulated_payments import event_types, pay


@pytest.fixture
def charge(stripe_api):
    """49 € that have arrived."""
    return StoredObject.objects.get(stripe_id=pay(stripe_api).latest_charge)


class TestRefund:
    def test_may_stay_pending(self, charge):
        charge.remember(refunds="pending")

        given = refund(charge, at=charge.created + 9)

        assert (given.data["status"], given.data["balance_transaction"]) == ("pending", None)
        assert (given.created, given.ahead) == (charge.created + 9, charge.ahead)
        assert charge.data["refunded"] is True

    def test_may_fail_after_it_had_succeeded(self, charge):
        given = refund(charge, at=charge.created)
        fail_refund(given, at=charge.created)

        charge.refresh_from_db()
        assert (given.data["status"], charge.data["amount_refunded"]) == ("failed", 0)
        assert event_types()[-5:] == [
            "refund.created",
            "charge.refunded",
            "refund.updated",
            "charge.refund.updated",
            "refund.failed",
        ]

    def test_is_possible_again_after_one_has_failed(self, charge):
        fail_refund(refund(charge, at=charge.created), at=charge.created)
        charge.refresh_from_db()

        assert refund(charge, at=charge.created).data["amount"] == 4900


class TestCompleteRefund:
    def test_takes_the_money_from_the_balance(self, charge):
        charge.remember(refunds="pending")
        given = refund(charge, at=charge.created)

        complete_refund(given, at=charge.created)

        moved = StoredObject.objects.get(stripe_id=given.data["balance_transaction"])
        assert (given.data["status"], moved.data["amount"]) == ("succeeded", -4900)


class TestOutcomesThatAreTooLate:
    def test_are_refused_for_what_has_succeeded(self, charge):
        given = refund(charge, at=charge.created)

        with pytest.raises(StripeRefusal):
            complete_refund(given, at=charge.created)

        assert given.data["status"] == "succeeded"

    def test_are_refused_for_what_has_failed(self, charge):
        given = refund(charge, at=charge.created)
        fail_refund(given, at=charge.created)

        with pytest.raises(StripeRefusal):
            fail_refund(given, at=charge.created)
