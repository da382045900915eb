"""Why a refund does not arrive, in words for people; of what Stripe says otherwise its own words stay."""

from django.utils.translation import gettext_lazy as _

# What became of a refund (https://docs.stripe.com/api/refunds/object#refund_object-failure_reason), why one waits
# (…#refund_object-pending_reason), and why Stripe does not make one (https://docs.stripe.com/error-codes).
REFUND_REASONS = {
    "account_closed": _("the customer’s account is closed"),
    "balance_insufficient": _("there is not enough money in our Stripe balance"),
    "charge_already_refunded": _("all of the payment has been refunded already"),
    "charge_disputed": _("the payment is disputed, so the bank decides about its money"),
    "charge_expired_for_refund": _("the payment is too old to be refunded"),
    "charge_for_pending_refund_disputed": _("the customer disputed the payment while the refund was on its way"),
    "charge_pending": _("the payment itself is not settled yet"),
    "declined": _("the customer’s bank refused it"),
    "expired_or_canceled_card": _("the card has expired or was canceled"),
    "insufficient_funds": _("there is not enough money in our Stripe balance"),
    "lost_or_stolen_card": _("the card was reported lost or stolen"),
    "merchant_request": _("it was stopped at our request"),
    "processing": _("it is on its way"),
    "refund_disputed_payment": _("the payment is disputed, so the bank decides about its money"),
    "unknown": _("the bank gave no reason"),
    # Its state, where Stripe names no reason.
    "canceled": _("it was canceled"),
    "failed": _("the bank gave no reason"),
}


def refund_reason(code: str, words: str = "") -> str:
    """The reason of this code in the reader's language; else `words`, as Stripe told them."""
    known = REFUND_REASONS.get(code) or REFUND_REASONS.get(words)
    return str(known or words or code or REFUND_REASONS["unknown"])
