"""Payouts are read with all that is in them, whatever comes between."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection

from payments.locks import KEY_OF_NAME
from payments.orders.models import OrderException
from payments.payouts.models import BalanceEntry, Payout, PayoutWalk
from payments.payouts.walk import FIRST_SPAN, OVERLAP, PAYOUTS_LOCK, AlreadyReading
from payments.statuses import EntryKind
from payments.tasks import read_payouts_job
from stripe_emulator import timers
from stripe_emulator.models import StoredObject
from tests.payments.payouts.conftest import LATER
from tests.support import buyers
from tests.support.balance import charged, given_back
from tests.support.factories import ActivityFactory, RegistrationFactory, UserFactory
from tests.support.fake_gateway import refused, unavailable
from tests.support.resync import heard, sold
from tests.support.road import NOON

FATES = (buyers.pays, buyers.is_refunded_in_parts, buyers.loses_a_dispute)
FIVE_DAYS = timedelta(days=5)


@pytest.fixture
def sold_out(stripe_api):
    """Somebody paid, somebody got a part back, somebody's bank took all of it: heard of here, and paid out."""
    activity = ActivityFactory()
    for fate in FATES:
        fate(sold(RegistrationFactory(activity=activity)))
    heard()
    timers.advance(int(FIVE_DAYS.total_seconds()))


def figure_at_stripe(kind, **changes):
    """Stripe has another figure in its books from now on."""
    movement = StoredObject.objects.filter(kind="balance_transaction", data__type=kind).first()
    movement.change(**changes)
    return movement


class TestWholeStory:
    def test_adds_up_until_a_figure_differs_and_again_when_it_is_put_right(self, sold_out, read, asked):
        at = datetime.now(UTC) + FIVE_DAYS

        read(at=at)
        payout = Payout.objects.get()
        assert (payout.amount, payout.adds_up, asked()) == (14403 - 1200 - 6900, True, [])
        assert {kind: (row["count"], row["net"]) for kind, row in payout.totals.items()} == {
            "payment": (3, 14403), "refund": (2, -1200), "dispute": (1, -6900),
        }  # fmt: skip
        linked = payout.entries.exclude(kind=EntryKind.PAYOUT).exclude(payment=None)
        assert (linked.count(), linked.exclude(refund=None).count(), linked.exclude(dispute=None).count()) == (6, 2, 1)

        moved = figure_at_stripe("charge", amount=4800, net=4701)
        read(at=at)
        assert asked() == ["A payout of €63.03 does not add up: its entries come to €62.03, €1.00 off"]
        assert Payout.objects.get().adds_up is False

        moved.change(amount=4900, net=4801)
        read(at=at)
        assert (asked(), Payout.objects.get().adds_up) == ([], True)
        assert OrderException.objects.get().closed_reason == "The cause is gone."


class TestReadPayouts:
    def test_keeps_each_once_however_often_it_is_read(self, stripe, payment, read):
        stripe.pay_out(charged())

        read()
        walk = read()

        assert (Payout.objects.count(), BalanceEntry.objects.count()) == (1, 2)
        assert walk.sentence.startswith("1 payout read, 2 entries, 0 in question; complete up to ")

    def test_keeps_what_is_in_no_payout_yet(self, stripe, payment, read):
        stripe.entries.append(charged())

        read()

        entry = BalanceEntry.objects.get()
        assert (entry.payout, entry.payment, entry.net, entry.source) == (None, payment, 4801, "ch_1")

    def test_takes_out_what_stripe_does_not_list_any_more(self, stripe, payment, read):
        stripe.pay_out(charged(), given_back())
        read()
        stripe.entries = [each for each in stripe.entries if each["id"] != "txn_re_1"]

        read()

        assert BalanceEntry.objects.get(stripe_id="txn_re_1").payout is None

    def test_asks_nothing_about_the_entries_of_a_payout_made_by_hand(self, stripe, read, asked):
        told = {"automatic": False, "reconciliation_status": "not_applicable"}
        stripe.pay_out(amount=500, created=int(NOON.timestamp()), **told)

        walk = read()

        assert (stripe.asked, asked(), Payout.objects.get().adds_up) == ([], [], None)
        assert "1 made by hand, of which Stripe lists no entries" in walk.sentence

    def test_keeps_nothing_in_a_dry_run(self, stripe, payment, read, asked):
        stripe.pay_out(charged(), amount=4800)

        walk = read(dry_run=True)

        told = "A payout of €48.00 does not add up: its entries come to €48.01, €0.01 off"
        assert walk.findings == [{"payout": "po_1", "sentence": told}]
        assert (Payout.objects.count(), BalanceEntry.objects.count(), asked()) == (0, 0, [])
        assert PayoutWalk.last_complete() is None

    @pytest.mark.parametrize("trouble", [unavailable(), refused("no_right")])
    def test_that_is_cut_short_is_made_up_for(self, stripe, payment, read, trouble):
        read(at=NOON)
        stripe.trouble = trouble
        cut = read()
        stripe.trouble = None
        whole = read()

        assert (cut.finished_at, cut.error) == (None, str(trouble))
        assert cut.sentence.endswith("; not finished.")
        assert whole.since == cut.since == NOON - OVERLAP

    def test_goes_back_far_the_first_time_and_on_from_there(self, stripe, read):
        first = read(at=NOON)
        read(at=LATER, since=LATER - timedelta(days=1))
        third = read(at=LATER)

        assert first.since == NOON - FIRST_SPAN
        assert third.since == NOON - OVERLAP

    def test_is_not_made_twice_at_once(self, stripe, read):
        parameters = connection.get_connection_params()
        known = ("host", "port", "user", "password", "dbname")
        names = {name: parameters[name] for name in known if name in parameters}
        with psycopg.connect(**names) as other:
            other.execute(f"SELECT pg_advisory_lock({KEY_OF_NAME})", [PAYOUTS_LOCK])

            with pytest.raises(AlreadyReading):
                read()
            read_payouts_job()

        assert not PayoutWalk.objects.exists()

    def test_looks_up_older_ones_of_which_something_is_expected(self, stripe, payment, read):
        told = stripe.pay_out(charged(), status="in_transit", reconciliation_status="in_progress")
        read(at=NOON)
        assert Payout.objects.get().adds_up is None
        told |= {"status": "paid", "reconciliation_status": "completed"}
        for at in (NOON + timedelta(days=20), NOON + timedelta(days=40)):
            read(at=at)

        payout = Payout.objects.get()
        assert (payout.status, payout.adds_up) == ("paid", True)
        assert payout.read_at == NOON + timedelta(days=20)

    def test_goes_on_where_stripe_does_not_know_one_any_more(self, stripe, payment, read):
        stripe.pay_out(charged(), status="pending")
        read(at=NOON)
        stripe.payouts.clear()

        walk = read(at=NOON + timedelta(days=30))

        assert walk.finished_at
        assert Payout.objects.get().status == "pending"


class TestDismissed:
    def test_stays_dismissed(self, stripe, payment, read, asked):
        stripe.pay_out(charged(), amount=4800)
        read()
        OrderException.objects.update(is_open=False, closed_by=UserFactory())

        read()

        assert asked() == []
