"""What does not add up, in a sentence with its sums; and what is no question at all."""

from datetime import timedelta

import pytest

from payments.billing.models import Dispute, Payment, Refund
from payments.orders.models import Reference
from payments.payouts.models import BalanceEntry, Payout
from payments.statuses import DisputePhase, EntryFinding
from tests.support.balance import AT, charged, given_back
from tests.support.fake_gateway import balance_entry
from tests.support.road import NOON
from tests.support.subscriptions import make_subscription

OURS = {"metadata": {"orderId": "0b0c7f5e-6f7b-4b32-9a43-1f2cf1d8a111"}}
DAY = 24 * 3600


def kept_refund(payment, **fields):
    usual = {"stripe_id": "re_1", "amount": 1200, "currency": "eur", "status": "succeeded", "status_at": NOON}
    return Refund.objects.create(payment=payment.key, order=payment.order, **{**usual, **fields})


def disputed(amount, *, fee=2000, category="dispute"):
    dispute = {"id": "du_1", "object": "dispute", "charge": "ch_1", "payment_intent": "pi_1", "created": AT}
    id = f"txn_{category}"
    return balance_entry(dispute, amount=amount, fee=fee, type="adjustment", reporting_category=category, id=id)


class TestSums:
    def test_that_differ_are_told_both(self, stripe, payment, read, asked):
        stripe.pay_out(charged(), amount=4802)

        read()

        assert asked() == ["A payout of €48.02 does not add up: its entries come to €48.01, €0.01 off"]

    def test_of_one_that_is_not_told_whole_yet_are_not_judged(self, stripe, payment, read, asked):
        stripe.pay_out(charged(), amount=4802, reconciliation_status="in_progress")

        read()

        assert (asked(), Payout.objects.get().adds_up) == ([], None)

    def test_may_be_below_nothing(self, stripe, payment, read, asked):
        kept_refund(payment)
        stripe.pay_out(given_back(), status="paid")

        read()

        assert (asked(), Payout.objects.get().adds_up) == ([], True)


class TestEntries:
    def test_of_which_another_amount_is_known_here_are_asked_about(self, stripe, payment, read, asked):
        Payment.objects.update(received=4800)
        stripe.pay_out(charged())

        read()

        assert asked() == ["In a payout, Stripe has €49.00 for ch_1, but €48.00 is known here"]
        assert BalanceEntry.objects.get(source="ch_1").finding == EntryFinding.DIFFERS

    @pytest.mark.parametrize(
        ("about", "sentence"),
        [
            ({}, []),
            (OURS, ["In a payout, Stripe has €49.00 for ch_2, of which nothing is known here"]),
            ({"metadata": {**OURS["metadata"], "site": "Another shop"}}, []),
        ],
        ids=["of strangers", "ours", "of another site"],
    )
    def test_of_which_nothing_is_known_are_asked_about_where_they_are_ours(self, stripe, read, asked, about, sentence):
        stripe.pay_out(charged("2", **about))

        read()

        assert asked() == sentence

    def test_that_become_known_are_asked_about_no_more(self, stripe, payment, read, asked):
        stripe.pay_out(charged("2", **OURS))
        read()
        payment.key = "pi_2"
        payment.save()

        read()

        assert (asked(), BalanceEntry.objects.get(source="ch_2").payment) == ([], payment)

    @pytest.mark.parametrize(
        ("amount", "sentence"),
        [(1200, []), (1100, ["In a payout, Stripe has €12.00 for re_1, but €11.00 is known here"])],
    )
    def test_about_refunds_are_compared_too(self, stripe, payment, read, asked, amount, sentence):
        kept_refund(payment, amount=amount)
        stripe.pay_out(charged(), given_back())

        read()

        assert asked() == sentence

    def test_about_a_refund_that_is_not_known_are_asked_about(self, stripe, payment, read, asked):
        stripe.pay_out(charged(), given_back())

        read()

        assert asked() == ["In a payout, Stripe has €12.00 for re_1, of which nothing is known here"]

    def test_about_a_dispute_agree_when_it_is_opened_and_won(self, stripe, payment, read, asked):
        Dispute.objects.create(
            stripe_id="du_1", order=payment.order, payment="pi_1", amount=4900, currency="eur", status="won",
            phase=DisputePhase.CLOSED, status_at=NOON,
        )  # fmt: skip
        stripe.pay_out(charged(), disputed(-4900), disputed(4900, fee=-2000, category="dispute_reversal"))

        read()

        assert (asked(), Payout.objects.get().amount) == ([], 4801)

    def test_that_were_converted_are_compared_as_the_buyer_paid(self, stripe, payment, read, asked):
        Payment.objects.update(received=5000, currency="usd")
        entry = charged(amount=4600)
        entry["source"] |= {"amount": 5000, "currency": "usd"}
        stripe.pay_out(entry)

        read()

        assert asked() == []

    def test_of_an_invoice_that_was_paid_in_parts_are_summed_up(self, stripe, db, read, asked):
        subscription = make_subscription()
        Payment.objects.create(
            key="in_1", subscription=subscription, received=1000, off_stripe=300, currency="eur", paid_at=NOON
        )
        for number in (1, 2):
            Reference.objects.create(name=f"pi_{number}", subscription=subscription, payment="in_1")
        stripe.pay_out(charged("1", amount=400), charged("2", amount=300))

        read()

        assert asked() == []

    def test_that_are_about_no_payment_are_only_summed(self, stripe, read, asked):
        fee = balance_entry({"id": "fee_1", "created": AT}, amount=-200, type="stripe_fee", reporting_category="fee")
        stripe.pay_out(charged("9"), fee)

        read()

        payout = Payout.objects.get()
        assert (asked(), payout.amount) == ([], 4601)
        assert payout.totals["fee"] == {"count": 1, "amount": -200, "fee": 0, "net": -200}


class TestFailed:
    def test_is_asked_about_until_a_later_one_has_arrived(self, stripe, payment, read, asked):
        stripe.pay_out(charged(), status="failed", failure_code="account_closed", failure_message="The bank says no.")
        read()
        assert asked() == ["A payout of €48.01 failed: account_closed: The bank says no."]

        back = balance_entry(stripe.payouts[0], amount=4801, type="payout_failure", id="txn_back")
        stripe.pay_out({**back, "created": AT + DAY}, created=AT + DAY)
        read(at=NOON + timedelta(days=4))

        assert asked() == []
        assert list(Payout.objects.order_by("pk").values_list("adds_up", flat=True)) == [None, True]
