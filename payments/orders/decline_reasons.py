"""Why a payment failed, in plain words for the buyer: Stripe's codes, each to a sentence.

https://docs.stripe.com/declines/codes, https://docs.stripe.com/error-codes
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from payments.orders.models import Order

# Also for what is not listed. Lost, stolen and fraudulent are left out on purpose: who holds the card may not be
# its owner, and must not learn that it is known.
DECLINED = _("Your bank declined the payment and gave no reason. Please contact your bank.")

_NO_MONEY = _("There is not enough money in the account for this payment.")
_LIMIT = _("The limit of the card or the account is reached.")
_EXPIRED = _("The card has expired.")
_CVC = _("The security code of the card (CVC) is not right.")
_NUMBER = _("The card number is not right.")
_EXPIRY = _("The expiry date of the card is not right.")
_ADDRESS = _("The billing address or postcode is not the one that your bank knows.")
_NOT_CONFIRMED = _("Your bank asked you to confirm the payment, and it was not confirmed.")
_TECHNICAL = _("There was a technical problem on the way to your bank. A second try often works.")
_CURRENCY = _("The card does not accept this currency.")
_CARD_KIND = _("This card cannot be used for this kind of payment.")
_DUPLICATE = _("The same amount was paid with this card a moment ago. Please look before you try again.")
_METHOD_DECLINED = _("The payment service that you chose declined the payment.")
_ABANDONED = _("The payment was not completed in time, or it was canceled on the way.")
_ACCOUNT = _("The bank account is closed, or its number is not right.")
_DEBIT_REFUSED = _("Your bank did not allow the direct debit: it may be blocked for this account.")
_DEBIT_FAILED = _("Your bank could not carry out the direct debit.")
_ASK_BANK = _("Your bank did not carry out the direct debit, and asks you to contact it.")
_HOLDER = _("The name or address of the account's holder is not the one that the bank knows.")

_CODES: tuple[tuple[Promise, tuple[str, ...]], ...] = (
    (_NO_MONEY, ("insufficient_funds",)),
    (_LIMIT, (
        "card_velocity_exceeded", "withdrawal_count_limit_exceeded", "amount_too_large",
        "charge_exceeds_source_limit", "charge_exceeds_transaction_limit", "charge_exceeds_weekly_limit",
    )),
    (_EXPIRED, ("expired_card",)),
    (_CVC, ("incorrect_cvc", "invalid_cvc")),
    (_NUMBER, ("incorrect_number", "invalid_number")),
    (_EXPIRY, ("invalid_expiry_month", "invalid_expiry_year")),
    (_ADDRESS, ("incorrect_zip", "incorrect_address")),
    (_NOT_CONFIRMED, (
        "authentication_required", "authentication_not_handled", "payment_intent_authentication_failure",
        "mobile_device_authentication_required",
    )),
    (_TECHNICAL, (
        "processing_error", "issuer_not_available", "try_again_later", "reenter_transaction", "approve_with_id",
        "payment_method_provider_timeout", "payment_method_not_available",
    )),
    (_CURRENCY, ("currency_not_supported",)),
    (_CARD_KIND, ("card_not_supported", "not_permitted", "transaction_not_allowed", "service_not_allowed")),
    (_DUPLICATE, ("duplicate_transaction",)),
    (_METHOD_DECLINED, ("payment_method_provider_decline",)),
    (_ABANDONED, ("payment_method_customer_decline", "payment_intent_payment_attempt_expired")),
    (_ACCOUNT, (
        "account_closed", "bank_account_closed", "no_account", "invalid_account_number", "bank_account_unusable",
        "bank_ownership_changed", "invalid_account", "payment_intent_incompatible_bank_account",
    )),
    (_DEBIT_REFUSED, (
        "debit_not_authorized", "authorization_revoked", "debit_disputed", "bank_account_restricted",
        "payment_method_bank_account_blocked", "mandate_invalid", "payment_intent_mandate_invalid",
    )),
    (_DEBIT_FAILED, ("could_not_process", "generic_could_not_process", "payment_intent_payment_attempt_failed")),
    (_ASK_BANK, ("refer_to_customer",)),
    (_HOLDER, (
        "incorrect_account_holder_name", "incorrect_account_holder_address", "incorrect_account_holder_type",
        "incorrect_account_holder_tax_id",
    )),
)  # fmt: skip
_SENTENCES = {code: sentence for sentence, codes in _CODES for code in codes}


def decline_reason(code: str) -> Promise:
    """The sentence for a decline code or error code of Stripe, in the language that is active when it is shown."""
    return _SENTENCES.get(code, DECLINED)


def decline_reason_of(order: Order) -> Promise:
    """Why the attempt that counts has failed; without a charge nobody knows."""
    return decline_reason(order.failure_code if order.attempt_charge else "")
