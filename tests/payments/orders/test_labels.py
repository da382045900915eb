import pytest
from django.utils import translation

from payments.orders.labels import name_of, value_of


class TestNameOf:
    @pytest.mark.parametrize(
        ("what", "name"),
        [
            ("status", "Statut"),
            ("amount_refunded", "Remboursé"),
            ("place", "Place"),
            ("refund re_1", "Remboursement re_1"),
            ("paid in_1", "Payé in_1"),
            ("lost in_1", "Perdu dans des litiges in_1"),
            ("refunded by ch_1", "Remboursé ch_1"),
            ("something new", "Something new"),
        ],
    )
    def test_says_it_in_the_readers_language(self, what, name):
        with translation.override("fr"):
            assert name_of(what) == name


class TestValueOf:
    @pytest.mark.parametrize(
        ("what", "stored", "text"),
        [
            ("status", "PAID", "Paid"),
            ("status", "past_due", "Payment overdue"),
            ("superseded", "EXPIRED", "Expired"),
            ("amount_received", "4900", "€49.00"),
            ("amount", "400", "€4.00"),
            ("paid in_1", "400", "€4.00"),
            ("place", "held", "held"),
            ("dispute_state", "", "–"),
            ("refund re_1", "succeeded", "Succeeded"),
            ("refund re_1", "succeeded 150", "Succeeded, €1.50"),
            ("dispute du_1", "needs_response 400", "Charged back: answer expected, €4.00"),
            ("dispute du_1", "warning_needs_response", "The bank asks: answer expected"),
            ("dispute du_1", "of_some_day 400", "of_some_day, €4.00"),
            ("paid pi_1", "3000 usd", "$30.00"),
            ("lost pi_1", "900", "€9.00"),
            ("refund re_1", "succeeded 150 usd", "Succeeded, $1.50"),
            ("period_end", "2026-11-20 12:00:00+00:00", "Nov. 20, 2026, 1 p.m."),
            ("period_end", "soon", "soon"),
            ("plan", "monthly", "monthly"),
        ],
    )
    def test_says_what_staff_call_it(self, what, stored, text):
        with translation.override("en"):
            assert value_of(what, stored, currency="eur") == text

    def test_leaves_an_amount_as_it_is_where_no_currency_is_known(self):
        assert value_of("amount", "400", currency="") == "400"
