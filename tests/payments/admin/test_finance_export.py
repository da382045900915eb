"""The page that gives a month as a file, and the file as a spreadsheet opens it."""

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.urls import reverse

from payments.payouts.models import BalanceEntry, PayoutWalk
from tests.support.everything import make_payout, pay_out
from tests.support.pages import text_of
from tests.support.road import NOON

PAGE = "/admin/finance-export/"


@pytest.fixture(autouse=True)
def _at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def payout(order):
    return pay_out("po_1")


def lines_of(response):
    return b"".join(response.streaming_content).decode().lstrip("\ufeff").splitlines()


class TestPage:
    def test_offers_the_months_in_which_money_moved(self, page, payout):
        text = text_of(page.get(PAGE))

        assert "March 2026 (not whole yet)" in text
        assert "Nothing has been read from Stripe yet" in text

    def test_offers_currencies_where_there_are_several(self, page, payout):
        make_payout("po_2", currency="usd")

        assert '<option value="usd">USD</option>' in page.get(PAGE).content.decode()

    def test_says_up_to_when_everything_is_known_and_why_no_further(self, page, db):
        PayoutWalk.objects.create(started_at=NOON, since=NOON, error="Stripe is not available.", is_continued=True)

        assert "0 in question; not finished. Stripe is not available." in text_of(page.get(PAGE))


class TestFile:
    def test_has_a_row_for_each_movement_and_numbers_that_are_numbers(self, page, payout, order):
        BalanceEntry.objects.filter(kind="refund").update(amount=-4000, net=-4000, fee=0, source="=1+1")
        response = page.get(PAGE, {"month": "2026-03", "currency": "EUR"})

        lines = lines_of(response)
        assert response["Content-Disposition"] == 'attachment; filename="money-2026-03-eur.csv"'
        assert "no-store" in response["Cache-Control"]
        assert lines[0].startswith("Date,Kind,Amount,Fee,Net,Currency,Payout,Order")
        assert any(line.startswith("2026-03-02,Payment,40.00,0.99,39.01,EUR,po_1,") for line in lines)
        assert any(f"Refund,-40.00,0.00,-40.00,EUR,po_1,{order.number},'=1+1," in line for line in lines)
        assert lines[-1] == "Sum,All but payouts,40.00,1.98,38.02,EUR,,,,"

    def test_is_written_as_french_spreadsheets_expect(self, page, payout):
        response = page.get(PAGE, {"month": "2026-03"}, HTTP_ACCEPT_LANGUAGE="fr")

        assert any(line.startswith("2026-03-02;Paiement;40,00;0,99;39,01;EUR;po_1;") for line in lines_of(response))

    @pytest.mark.parametrize(
        ("query", "why"),
        [
            ({"month": "2026-13"}, "is no month such as 2026-11"),
            ({"month": "2026-04"}, "has not begun yet"),
            ({"month": "=cmd"}, "is no month"),
            ({"month": "2026-03", "currency": "<b>"}, "is no currency"),
        ],
        ids=str,
    )
    def test_refuses_what_is_no_month_and_no_currency(self, page, db, query, why):
        response = page.get(PAGE, query)

        assert (response.status_code, response["Content-Type"]) == (400, "text/plain; charset=utf-8")
        assert why in response.content.decode()

    def test_is_for_the_finance_group(self, client, django_user_model, db):
        clerk = django_user_model.objects.create_user("clerk@example.com", is_staff=True)
        client.force_login(clerk)
        assert client.get(PAGE, {"month": "2026-03"}).status_code == 403
        clerk.groups.add(Group.objects.get(name="finance"))

        assert client.get(PAGE, {"month": "2026-03"}).status_code == 200
        assert reverse("admin:finance_export") == PAGE
