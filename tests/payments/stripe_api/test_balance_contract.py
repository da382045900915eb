"""The calls that read Stripe's balance, against the emulator, and the fake beside it: both answer alike."""

from datetime import UTC, datetime, timedelta

import pytest

from payments.statuses import EntryKind
from payments.stripe_api import balance
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.stripe_api.lookups import ThrottledStripe
from payments.stripe_api.snapshots import StripePayout
from stripe_emulator import timers
from tests.support.balance import balance_for, charged, given_back
from tests.support.emulated_payments import pay
from tests.support.subscriber import emulate

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LATER = datetime.now(UTC) + timedelta(days=30)
ORDER = "0b0c7f5e-6f7b-4b32-9a43-1f2cf1d8a111"


@pytest.fixture(params=["emulator", "fake"])
def payout(request, db, monkeypatch):
    """49.00 came, 12.00 went back, the rest is at the bank."""
    if request.param == "fake":
        return balance_for(monkeypatch).pay_out(charged(metadata={"orderId": ORDER}), given_back())["id"]
    stripe_api = emulate(monkeypatch)
    intent = pay(stripe_api, metadata={"orderId": ORDER})
    stripe_api.refunds.create({"payment_intent": intent.id, "amount": 1200})
    timers.advance(5 * 24 * 3600)
    return stripe_api.payouts.list({}).data[0].id


@pytest.fixture
def stripe():
    return ThrottledStripe(calls_per_second=1_000_000)


class TestPayouts:
    def test_are_listed_since_a_moment(self, payout, stripe):
        [[told]] = balance.payouts_since(stripe, since=LONG_AGO)
        later = [each for page in balance.payouts_since(stripe, since=LATER) for each in page]

        assert (told.id, told.amount, told.currency, told.status) == (payout, 4801 - 1200, "eur", "paid")
        assert (told.is_automatic, told.is_complete, told.livemode, told.failure) == (True, True, False, "")
        assert told.arrival_date > told.created_at.date()
        assert later == []

    def test_are_looked_up_singly(self, payout, stripe):
        assert balance.look_up_payout(stripe, payout=payout).id == payout
        with pytest.raises(GatewayRefused) as refusal:
            balance.look_up_payout(stripe, payout="po_nobody")
        assert refusal.value.code == "resource_missing"


class TestEntries:
    def test_of_a_payout_are_its_parts_and_itself(self, payout, stripe):
        [entries] = balance.entries_of(stripe, payout=payout)

        told = {entry.kind: (entry.amount, entry.fee, entry.net) for entry in entries}
        assert told == {
            EntryKind.PAYMENT: (4900, 99, 4801), EntryKind.REFUND: (-1200, 0, -1200),
            EntryKind.PAYOUT: (-3601, 0, -3601),
        }  # fmt: skip
        assert payout in {entry.source for entry in entries}

    def test_name_the_payment_that_they_are_about(self, payout, stripe):
        [entries] = balance.entries_of(stripe, payout=payout)

        refs = {entry.kind: entry.refs for entry in entries}
        assert refs[EntryKind.PAYMENT].order == ORDER
        assert refs[EntryKind.PAYMENT].charge.startswith("ch_")
        assert refs[EntryKind.REFUND].payment_intent == refs[EntryKind.PAYMENT].payment_intent != ""

    def test_since_a_moment_are_all(self, payout, stripe):
        [entries] = balance.entries_since(stripe, since=LONG_AGO)

        assert len(entries) == 3
        assert not any(balance.entries_since(stripe, since=LATER))


class TestReading:
    def test_refuses_what_says_nothing_of_money(self, monkeypatch, stripe):
        monkeypatch.setattr(stripe, "pages", lambda what, params: iter([[{"id": "po_1", "object": "payout"}]]))

        with pytest.raises(GatewayUnavailable, match="payout po_1: amount is missing"):
            list(balance.payouts_since(stripe, since=LONG_AGO))

    def test_of_a_payout_whose_state_is_new_goes_on(self):
        told = {"amount": -5, "currency": "eur", "status": "on_holiday", "arrival_date": 1, "created": 1}

        read = StripePayout.read({"id": "po_1", **told})

        assert (read.amount, read.status, read.is_automatic) == (-5, "on_holiday", False)
