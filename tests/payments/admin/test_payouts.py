"""The payouts' list and the page of one: whether it adds up, and what is in it, with the way to each part."""

import pytest
from django.urls import reverse

from payments.admin import payouts
from payments.admin.kit.display import page_of
from payments.billing.models import Dispute, Payment, Refund
from payments.orders.models import OrderException
from payments.payouts.judge import judge
from tests.support.everything import make_payout, pay_out
from tests.support.pages import text_of
from tests.support.road import NOON

LIST = "admin:payments_payout_changelist"


@pytest.fixture
def payout(order):
    """Of the money of an order that was paid, partly given back and disputed; every figure differs."""
    return pay_out("po_1")


def shown(page, row):
    return text_of(page.get(reverse("admin:payments_payout_change", args=[row.pk])))


class TestList:
    @pytest.mark.parametrize(
        ("told", "words"),
        [
            ({"adds_up": True}, "At the bank adds up"),
            ({"adds_up": False}, "At the bank does not add up"),
            ({"is_automatic": False, "is_complete": False}, "At the bank made by hand"),
            ({"status": "in_transit", "is_complete": False}, "On its way not told yet"),
            ({"status": "failed"}, "Failed –"),
        ],
        ids=str,
    )
    def test_says_how_each_stands(self, page, db, told, words):
        make_payout("po_1", **told)

        assert f"€49.00 {words} po_1" in text_of(page.get(reverse(LIST)))

    def test_is_found_by_its_id(self, page, payout):
        assert page.get(reverse("admin:find"), {"q": "po_1"})["Location"] == page_of(payout)


class TestPage:
    def test_sums_up_what_is_in_it(self, page, payout):
        text = shown(page, payout)

        assert "Kind Number Amount Fees Net Payment 1 €40.00 €0.99 €39.01 Refund 1" in text
        assert "In all 3 €120.00 €2.97 €117.03" in text

    def test_leads_to_what_each_entry_is_about(self, page, payout, order):
        content = page.get(page_of(payout)).content.decode()

        for row in (order, Refund.objects.get(), Dispute.objects.get()):
            assert f'href="{page_of(row)}"' in content
        assert Payment.objects.get().key in content
        assert content.count("Another amount than known here") == 3

    def test_leads_to_the_question_and_back(self, page, payout):
        question = OrderException.objects.get(kind="PAYOUT_MISMATCH")

        assert f'href="{page_of(question)}"' in page.get(page_of(payout)).content.decode()
        there = page.get(page_of(question))
        assert f'href="{page_of(payout)}"' in there.content.decode()
        assert "its entries come to €117.03, €68.03 off" in text_of(there)

    def test_shows_the_first_of_many(self, page, payout, monkeypatch):
        monkeypatch.setattr(payouts, "ENTRIES_SHOWN", 1)
        entry = payout.entries.get(kind="payment")
        for number in (1, 2):
            entry.pk, entry.stripe_id, entry.source = None, f"txn_more_{number}", f"ch_more_{number}"
            entry.save()
        judge(payout, at=NOON)

        text = shown(page, payout)

        assert "… and 2 more: the export for the accounts has them all." in text
        assert "ch_more_" not in text

    def test_says_that_one_made_by_hand_is_not_told(self, page, db):
        row = make_payout("po_1", is_automatic=False, is_complete=False)

        assert "made by hand: Stripe does not say what is in it." in shown(page, row)
