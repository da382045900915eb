import pytest
from django.core.exceptions import ValidationError
from django.utils.translation import override

from payments.billing.models import Plan
from payments.money import (
    CURRENCIES,
    NoAmount,
    chargeable_decimals,
    check_charge,
    exponent,
    format_amount,
    greatest_charge,
    least_charge,
    minor_units,
    written_amount,
)
from stripe_emulator.behaviour import amounts
from tests.support.factories import ActivityFactory
from tests.support.modules import make_module


class TestMinorUnits:
    @pytest.mark.parametrize(
        ("written", "currency", "units"),
        [
            ("12.50", "eur", 1250),
            (" 12,5 ", "eur", 1250),
            ("1\N{NARROW NO-BREAK SPACE}234,50", "eur", 123450),
            ("12", "EUR", 1200),
            ("0.01", "eur", 1),
            ("1.000", "eur", 100),
            ("500", "jpy", 500),
            ("500.0", "krw", 500),
            ("1.23", "kwd", 1230),
            ("1.230", "kwd", 1230),
            ("5", "isk", 500),
            ("5.00", "ugx", 500),
            ("175.55", "huf", 17555),
            ("800.45", "twd", 80045),
        ],
    )
    def test_counts_as_the_currency_does(self, written, currency, units):
        assert minor_units(written, currency) == units

    @pytest.mark.parametrize(
        ("written", "currency"),
        [("12.505", "eur"), ("5.5", "jpy"), ("0", "eur"), ("-1", "eur"), ("", "eur"), ("a lot", "eur"),
         ("1.234,50", "eur"), ("NaN", "eur"), ("Infinity", "eur"), ("1e400", "eur"), ("1e2", "eur"), ("1_0", "eur"),
         ("١٢", "eur"), ("1.234", "kwd"), ("5.5", "isk"), ("0.01", "ugx")],
    )  # fmt: skip
    def test_refuses_what_nobody_can_pay(self, written, currency):
        with pytest.raises(NoAmount):
            minor_units(written, currency)

    def test_takes_nothing_where_that_is_allowed(self):
        assert minor_units("0.00", "eur", allows_nothing=True) == 0


class TestCheckCharge:
    @pytest.mark.parametrize(
        ("currency", "least"),
        [("usd", 50), ("gbp", 30), ("dkk", 250), ("sek", 300), ("czk", 1500), ("huf", 17500), ("jpy", 50),
         ("mxn", 1000), ("hkd", 400), ("thb", 1000), ("aed", 200), ("zar", 50)],
    )  # fmt: skip
    def test_refuses_less_than_stripe_takes(self, currency, least):
        check_charge(least, currency)

        with pytest.raises(NoAmount):
            check_charge(least - 1, currency)

    @pytest.mark.parametrize(
        ("currency", "greatest"),
        [("eur", 99_999_999), ("krw", 99_999_999), ("kwd", 99_999_999), ("inr", 999_999_999), ("idr", 999_999_999_999)],
    )
    def test_refuses_more_than_stripe_takes(self, currency, greatest):
        check_charge(greatest, currency)

        with pytest.raises(NoAmount):
            check_charge(greatest + 1, currency)

    def test_lets_what_is_free_be(self):
        check_charge(0, "eur")

    @pytest.mark.parametrize("currency", sorted(CURRENCIES))
    def test_agrees_with_the_emulator(self, currency):
        step = 10 ** (exponent(currency) - chargeable_decimals(currency))
        ours = (exponent(currency), least_charge(currency), greatest_charge(currency), step)

        theirs = (amounts.exponent(currency), amounts.least_charge(currency), amounts.greatest_charge(currency))
        assert ours == (*theirs, amounts.step(currency))

    def test_knows_the_currencies_that_the_emulator_knows(self):
        assert CURRENCIES == amounts.CURRENCIES


class TestFormatAmount:
    @pytest.mark.parametrize(
        ("amount", "currency", "english", "french"),
        [
            (4900, "eur", "€49.00", "49,00 €"),
            (123456, "usd", "$1,234.56", "1 234,56 $US"),
            (123456, "jpy", "¥123,456", "123 456 JPY"),
            (5120, "kwd", "KWD 5.120", "5,120 KWD"),
            (500, "isk", "ISK 5", "5 ISK"),
            (550, "ugx", "UGX 5.50", "5,50 UGX"),
            (17555, "huf", "HUF 175.55", "175,55 HUF"),
        ],
    )
    def test_writes_as_people_of_each_language_do(self, amount, currency, english, french):
        told = {}
        for language in ("en", "fr"):
            with override(language):
                told[language] = " ".join(format_amount(amount, currency).split())

        assert told == {"en": english, "fr": french}


class TestWrittenAmount:
    @pytest.mark.parametrize("currency", ["eur", "jpy", "kwd", "isk", "ugx", "huf"])
    def test_is_read_again_as_what_it_was(self, currency):
        assert minor_units(written_amount(12300, currency), currency) == 12300

    def test_has_no_groups_whatever_the_language(self):
        with override("fr"):
            assert written_amount(123456, "eur") == "1234.56"


@pytest.mark.django_db
class TestChargeable:
    """What has a price can be written by nobody with one that Stripe does not charge."""

    @pytest.mark.parametrize("price", [10, 10**9])
    def test_refuses_it_from_a_shell(self, price):
        with pytest.raises(NoAmount, match="Stripe takes no"):
            ActivityFactory(price=price)

    def test_says_so_where_a_form_or_an_import_asks(self):
        plan = Plan(slug="gold", name="Gold", amount=10, currency="eur", interval="month")

        with pytest.raises(ValidationError, match=r"no less than €0\.50"):
            plan.full_clean()

    def test_refuses_a_currency_that_is_none(self):
        with pytest.raises(NoAmount, match="“zzz” is no currency"):
            make_module(currency="zzz")

    def test_takes_what_is_free(self):
        assert ActivityFactory(price=0).price == 0

    def test_lets_everything_else_of_an_old_row_be_written(self):
        row = ActivityFactory()
        row.price, row.is_on_sale = 10, False

        row.save(update_fields=["is_on_sale"])

        row.refresh_from_db()
        assert (row.is_on_sale, row.price) == (False, 4900)
