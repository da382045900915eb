"""Payouts through the official client: made and paid by the emulator's clock, with what is in them."""

import pytest

from stripe_emulator import clock, timers
from stripe_emulator.behaviour.payouts import fail_payout
from stripe_emulator.errors import StripeRefusal
from stripe_emulator.models import StoredObject
from tests.support.emulated_payments import pay

DAY = 24 * 3600


def entries_of(stripe_api, payout):
    return stripe_api.balance_transactions.list({"payout": payout.id, "limit": 100}).data


class TestPayouts:
    def test_bring_what_is_available_once_a_day(self, stripe_api):
        first, second = pay(stripe_api), pay(stripe_api)
        refund = stripe_api.refunds.create({"payment_intent": second.id, "amount": 900})

        timers.advance(4 * DAY)

        [payout] = stripe_api.payouts.list({}).data
        own, *entries = entries_of(stripe_api, payout)
        assert payout.amount == 2 * 4801 - 900 == sum(each.net for each in entries)
        assert (own.source, own.net, payout.balance_transaction) == (payout.id, -payout.amount, own.id)
        assert {each.source for each in entries} == {first.latest_charge, second.latest_charge, refund.id}
        assert {each.status for each in entries} == {"available"}

    def test_are_paid_a_day_later(self, stripe_api):
        pay(stripe_api)

        timers.advance(4 * DAY)
        [pending] = stripe_api.payouts.list({}).data
        timers.advance(DAY)

        paid = stripe_api.payouts.retrieve(pending.id)
        assert (pending.status, pending.reconciliation_status) == ("pending", "in_progress")
        assert (paid.status, paid.reconciliation_status) == ("paid", "completed")
        assert [each.id for each in stripe_api.payouts.list({"status": "paid"}).data] == [pending.id]

    def test_of_another_currency_are_others(self, stripe_api):
        pay(stripe_api)
        pay(stripe_api, currency="usd")

        timers.advance(4 * DAY)

        assert {each.currency for each in stripe_api.payouts.list({}).data} == {"eur", "usd"}

    def test_wait_while_more_went_back_than_came(self, stripe_api):
        pay(stripe_api, "pm_card_createDispute")

        timers.advance(4 * DAY)
        assert stripe_api.payouts.list({}).data == []
        pay(stripe_api)
        timers.advance(4 * DAY)

        [payout] = stripe_api.payouts.list({}).data
        assert payout.amount == 4801 + 4801 - 4900 - 2000
        assert len(entries_of(stripe_api, payout)) == 4

    def test_that_fail_go_out_with_the_next(self, stripe_api):
        pay(stripe_api)
        timers.advance(5 * DAY)
        stored = StoredObject.objects.get(kind="payout")

        fail_payout(stored, at=clock.now_for(stored))
        timers.advance(DAY)

        again, failed = stripe_api.payouts.list({}).data
        assert (failed.status, failed.failure_code, again.amount) == ("failed", "account_closed", 4801)
        assert [each.source for each in entries_of(stripe_api, again)] == [again.id, failed.id]
        with pytest.raises(StripeRefusal):
            fail_payout(StoredObject.objects.get(stripe_id=failed.id), at=clock.now_for(stored))
