import pytest
from django.utils import translation

from payments.orders.decline_reasons import DECLINED, decline_reason


def in_english(code):
    with translation.override("en"):
        return str(decline_reason(code))


class TestDeclineReason:
    @pytest.mark.parametrize(
        ("code", "word"),
        [
            ("insufficient_funds", "not enough money"),
            ("card_velocity_exceeded", "limit"),
            ("expired_card", "expired"),
            ("incorrect_cvc", "security code"),
            ("authentication_required", "not confirmed"),
            ("payment_intent_authentication_failure", "not confirmed"),
            ("processing_error", "technical problem"),
            ("currency_not_supported", "currency"),
            ("card_not_supported", "kind of payment"),
            ("debit_not_authorized", "direct debit"),
            ("account_closed", "account is closed"),
            ("refer_to_customer", "asks you to contact it"),
            ("payment_intent_payment_attempt_failed", "could not carry out the direct debit"),
            ("incorrect_account_holder_name", "account's holder"),
            ("payment_method_customer_decline", "canceled"),
        ],
    )
    def test_says_in_plain_words_what_was_wrong(self, code, word):
        assert word in in_english(code)

    @pytest.mark.parametrize("code", ["", "card_declined", "generic_decline", "do_not_honor", "a_code_of_tomorrow"])
    def test_says_that_the_bank_gave_no_reason_where_there_is_none(self, code):
        assert decline_reason(code) == DECLINED

    @pytest.mark.parametrize(
        "code", ["lost_card", "stolen_card", "pickup_card", "fraudulent", "merchant_blacklist", "restricted_card"]
    )
    def test_never_warns_who_holds_a_card_that_is_reported(self, code):
        assert decline_reason(code) == DECLINED

    def test_speaks_the_language_in_which_it_is_shown(self):
        reason = decline_reason("expired_card")

        with translation.override("fr"):
            assert str(reason) == "La carte a expiré."
        with translation.override("en"):
            assert str(reason) == "The card has expired."
