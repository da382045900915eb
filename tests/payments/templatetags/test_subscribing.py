import pytest

from payments.billing.models import Plan, Subscription
from payments.templatetags.subscribing import terms


class TestTerms:
    @pytest.mark.parametrize(
        ("what", "words"),
        [
            (Plan(amount=400, currency="eur", interval="month"), "€4.00 a month"),
            (Subscription(amount=3000, currency="eur", interval="year"), "€30.00 a year"),
            (Subscription(amount=900, currency="eur", interval="month", interval_count=3), "€9.00 every 3 months"),
            (Subscription(amount=500, currency="jpy", interval="fortnight"), "¥500"),
            (Subscription(), ""),
        ],
    )
    def test_says_what_it_costs_and_how_often(self, what, words):
        assert terms(what).replace("\N{NO-BREAK SPACE}", " ") == words
