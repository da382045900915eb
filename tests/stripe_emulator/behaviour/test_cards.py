"""The test cards and accounts, by their names and numbers."""

import re

import pytest

from stripe_emulator.behaviour import cards
from stripe_emulator.errors import StripeRefusal


class TestFindByAlias:
    @pytest.mark.parametrize(
        ("alias", "last4"),
        [
            ("pm_card_visa", "4242"),
            ("tok_visa", "4242"),
            ("pm_card_visa_debit", "5556"),
            ("tok_mastercard", "4444"),
            ("pm_card_chargeDeclined", "0002"),
            ("pm_card_visa_chargeDeclined", "0002"),
            ("tok_chargeDeclined", "0002"),
            ("tok_visa_chargeDeclinedInsufficientFunds", "9995"),
            ("pm_card_chargeCustomerFail", "0341"),
            ("pm_card_authenticationRequired", "3184"),
            ("pm_card_threeDSecure2Required", "3220"),
            ("pm_card_createDispute", "0259"),
            ("pm_card_createDisputeInquiry", "1976"),
            ("pm_card_createIssuerFraudRecord", "5423"),
            ("pm_card_bypassPending", "0077"),
            ("pm_failed_fr", "2607"),
        ],
    )
    def test_knows_the_names_of_the_documentation(self, alias, last4):
        assert cards.find_by_alias(alias).number.endswith(last4)

    @pytest.mark.parametrize("alias", ["pm_card_nobody", "tok_", "visa", "pm_1abc", ""])
    def test_refuses_others(self, alias):
        with pytest.raises(StripeRefusal) as refusal:
            cards.find_by_alias(alias)

        assert refusal.value.code == "resource_missing"


class TestFindByNumber:
    @pytest.mark.parametrize("number", ["4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242"])
    def test_does_not_mind_how_it_is_written(self, number):
        assert cards.find_by_number(number).name == "visa"

    @pytest.mark.parametrize("number", ["4242424242424241", "", "AT611904300234573201"])
    def test_refuses_other_numbers(self, number):
        with pytest.raises(StripeRefusal) as refusal:
            cards.find_by_number(number)

        assert refusal.value.code == "incorrect_number"


class TestFindByIban:
    @pytest.mark.parametrize(
        ("iban", "settles"),
        [
            ("AT611904300234573201", True),
            ("at61 1904 3002 3457 3201", True),
            ("FR1420041010050500013M02606", True),
            ("AT321904300235473204", True),
            ("AT861904300235473202", False),
            ("FR8420041010050500013M02607", False),
            ("IT60X0542811101000000123456", False),
        ],
    )
    def test_knows_what_becomes_of_the_debit(self, iban, settles):
        assert cards.find_by_iban(iban).settles is settles

    @pytest.mark.parametrize("iban", ["AT00", "", "4242424242424242"])
    def test_refuses_other_accounts(self, iban):
        with pytest.raises(StripeRefusal) as refusal:
            cards.find_by_iban(iban)

        assert refusal.value.code == "invalid_bank_account_iban"


class TestEveryMethod:
    def test_is_found_again_by_its_name_and_number(self):
        assert len({method.name for method in cards.ALL_METHODS}) == len(
            {method.number for method in cards.ALL_METHODS}
        )
        assert all(
            cards.BY_NAME[method.name] is cards.BY_NUMBER[method.number] is method for method in cards.ALL_METHODS
        )

    def test_has_a_number_that_could_be_real(self):
        numbers = [method.number for method in cards.ALL_METHODS if method.type == "card"]
        ibans = [method.number for method in cards.ALL_METHODS if method.type == "sepa_debit"]

        assert all(_luhn(number) == 0 for number in numbers)
        assert all(_iban_rest(iban) == 1 for iban in ibans)


def _luhn(number):
    digits = [int(digit) for digit in reversed(number)]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[1::2]]
    return (sum(digits[0::2]) + sum(doubled)) % 10


def _iban_rest(iban):
    return int(re.sub("[A-Z]", lambda letter: str(ord(letter[0]) - 55), iban[4:] + iban[:4])) % 97
