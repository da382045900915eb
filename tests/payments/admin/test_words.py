import pytest
from django.utils import translation

from payments.admin.words import name_of, value_of


class TestNameOf:
    @pytest.mark.parametrize(
        ("what", "name"),
        [
            ("status", "Statut"),
            ("amount_refunded", "Remboursé"),
            ("place", "Place"),
            ("refund re_1", "Remboursement re_1"),
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
            ("superseded", "EXPIRED", "Expired"),
            ("amount_received", "4900", "49.00\N{NO-BREAK SPACE}EUR"),
            ("place", "held", "held"),
            ("dispute_state", "", "–"),
            ("refund re_1", "succeeded", "succeeded"),
        ],
    )
    def test_says_what_staff_call_it(self, what, stored, text):
        with translation.override("en"):
            assert value_of(what, stored, currency="eur") == text
