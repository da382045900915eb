import pytest

from payments.money import NoAmount, minor_units


class TestMinorUnits:
    @pytest.mark.parametrize(
        ("written", "currency", "units"),
        [
            ("12.50", "eur", 1250),
            (" 12,5 ", "eur", 1250),
            ("12", "EUR", 1200),
            ("0.01", "eur", 1),
            ("500", "jpy", 500),
            ("1.234", "kwd", 1234),
            ("1.000", "eur", 100),
        ],
    )
    def test_counts_as_the_currency_does(self, written, currency, units):
        assert minor_units(written, currency) == units

    @pytest.mark.parametrize(
        ("written", "currency"),
        [("12.505", "eur"), ("5.5", "jpy"), ("0", "eur"), ("-1", "eur"), ("", "eur"), ("a lot", "eur"),
         ("1.234,50", "eur"), ("NaN", "eur"), ("Infinity", "eur"), ("1e400", "eur"), ("1e-9", "eur")],
    )  # fmt: skip
    def test_refuses_what_nobody_can_pay(self, written, currency):
        with pytest.raises(NoAmount):
            minor_units(written, currency)
