"""Disputes as the console opens and decides them."""

import pytest

from stripe_emulator.behaviour.disputes import close_dispute, open_dispute
from stripe_emulator.behaviour.refunds import refund
from stripe_emulator.errors import StripeRefusal
from stripe_emulator.models import StoredObject
from tests.support.emulated_payments import SEPA_SUCCEEDS, debit, event_types, pay


@pytest.fixture
def charge(stripe_api):
    """49 € that have arrived."""
    return StoredObject.objects.get(stripe_id=pay(stripe_api).latest_charge)


class TestOpenDispute:
    def test_is_about_what_is_not_refunded(self, charge):
        refund(charge, at=charge.created, amount=900)

        dispute = open_dispute(charge, at=charge.created + 5)

        assert (dispute.data["amount"], dispute.created, dispute.ahead) == (4000, charge.created + 5, charge.ahead)

    def test_is_refused_where_no_money_is(self, charge, stripe_api):
        refund(charge, at=charge.created)
        pending = StoredObject.objects.get(stripe_id=debit(stripe_api, SEPA_SUCCEEDS).latest_charge)

        for without_money in (charge, pending):
            with pytest.raises(StripeRefusal):
                open_dispute(without_money, at=charge.created)

        assert not StoredObject.objects.filter(kind="dispute").exists()


class TestCloseDispute:
    @pytest.mark.parametrize(
        ("won", "inquiry", "status", "last_events"),
        [
            (True, False, "won", ["charge.dispute.closed", "charge.dispute.funds_reinstated"]),
            (False, False, "lost", ["charge.dispute.updated", "charge.dispute.closed"]),
            (True, True, "warning_closed", ["charge.dispute.updated", "charge.dispute.closed"]),
            (False, True, "warning_closed", ["charge.dispute.updated", "charge.dispute.closed"]),
        ],
    )
    def test_decides(self, charge, won, inquiry, status, last_events):
        dispute = open_dispute(charge, at=charge.created, inquiry=inquiry)

        close_dispute(dispute, at=charge.created + 9, won=won)

        assert dispute.data["status"] == status
        assert event_types()[-2:] == last_events

    def test_that_was_won_lets_the_rest_be_refunded(self, charge):
        close_dispute(open_dispute(charge, at=charge.created), at=charge.created, won=True)

        assert refund(charge, at=charge.created).data["status"] == "succeeded"

    def test_that_was_lost_does_not(self, charge):
        close_dispute(open_dispute(charge, at=charge.created), at=charge.created, won=False)

        with pytest.raises(StripeRefusal) as refusal:
            refund(charge, at=charge.created)

        assert refusal.value.code == "charge_disputed"
