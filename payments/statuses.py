"""The words for states, and the order in which they beat each other: a table that a product owner can read."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class OrderStatus(models.TextChoices):
    """Life of an order. Docs: docs/adr/0002-order-fold.md."""

    PENDING = "PENDING", _("Waiting for payment")
    ACTION_REQUIRED = "ACTION_REQUIRED", _("Buyer must act")
    PROCESSING = "PROCESSING", _("Payment under way")
    FAILED = "FAILED", _("Payment failed")
    EXPIRED = "EXPIRED", _("Expired")
    CANCELED = "CANCELED", _("Canceled")
    PAID = "PAID", _("Paid")
    REFUNDED = "REFUNDED", _("Refunded")


# (phase, rank within a second). Phase 0: the buyer may still pay; phase 1: closed without money.
# PAID and REFUNDED are no facts about the buyer's tries but follow from the money, so they have no place here.
OPEN_PHASE, CLOSED_PHASE = 0, 1
STATUS_ORDER: dict[str, tuple[int, int]] = {
    OrderStatus.PENDING: (OPEN_PHASE, 0),
    OrderStatus.ACTION_REQUIRED: (OPEN_PHASE, 1),
    OrderStatus.PROCESSING: (OPEN_PHASE, 2),
    OrderStatus.FAILED: (OPEN_PHASE, 3),
    OrderStatus.EXPIRED: (CLOSED_PHASE, 0),
    OrderStatus.CANCELED: (CLOSED_PHASE, 1),
}


# What one may still pay for, in whatever phase of trying.
OPEN_STATUSES = tuple(status for status, (phase, _rank) in STATUS_ORDER.items() if phase == OPEN_PHASE)
# Open, and no payment is under way.
AWAITING_PAYMENT = (OrderStatus.PENDING, OrderStatus.ACTION_REQUIRED, OrderStatus.FAILED)
# No money came, and nobody can pay any more.
CLOSED_STATUSES = (OrderStatus.EXPIRED, OrderStatus.CANCELED)
# Money came, be it here still or given back.
WAS_PAID = (OrderStatus.PAID, OrderStatus.REFUNDED)
# The kind of order whose Checkout begins a subscription (docs/adr/0009-subscriptions.md).
PLAN = "plan"


class RefundStatus(models.TextChoices):
    """https://docs.stripe.com/api/refunds/object#refund_object-status"""

    PENDING = "pending", _("Pending")
    REQUIRES_ACTION = "requires_action", _("Requires action")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELED = "canceled", _("Canceled")


REFUND_ORDER: dict[str, int] = {
    RefundStatus.PENDING: 0,
    RefundStatus.REQUIRES_ACTION: 0,
    RefundStatus.SUCCEEDED: 1,
    RefundStatus.FAILED: 2,
    RefundStatus.CANCELED: 2,
}
# Nothing more comes of it, except that what has succeeded may still come back.
REFUND_FINAL = (RefundStatus.SUCCEEDED, RefundStatus.FAILED, RefundStatus.CANCELED)
# Why a refund waits that nobody but us can help: https://docs.stripe.com/api/refunds/object#refund_object-pending_reason
WAITS_FOR_FUNDS = "insufficient_funds"
REFUND_COUNTS = frozenset({RefundStatus.PENDING, RefundStatus.REQUIRES_ACTION, RefundStatus.SUCCEEDED})


# What was to go back and did not.
REFUND_UNDONE = (RefundStatus.FAILED, RefundStatus.CANCELED)


class DisputePhase(models.IntegerChoices):
    """What a dispute means for the money: in an inquiry none has moved, in an open one the bank holds it meanwhile."""

    INQUIRY = -1, _("The bank asks")
    OPEN = 0, _("Open")
    LOST = 1, _("Lost")
    CLOSED = 2, _("Won or closed without loss")


class DisputeStatus(models.TextChoices):
    """https://docs.stripe.com/api/disputes/object#dispute_object-status"""

    WARNING_NEEDS_RESPONSE = "warning_needs_response", _("The bank asks: answer expected")
    WARNING_UNDER_REVIEW = "warning_under_review", _("The bank asks: it looks at the answer")
    WARNING_CLOSED = "warning_closed", _("The bank asks no more")
    NEEDS_RESPONSE = "needs_response", _("Charged back: answer expected")
    UNDER_REVIEW = "under_review", _("Charged back: the bank looks at the answer")
    WON = "won", _("Won")
    LOST = "lost", _("Lost")
    APPEAL_NEEDS_RESPONSE = "appeal_needs_response", _("Appeal: answer expected")
    APPEAL_UNDER_REVIEW = "appeal_under_review", _("Appeal: the answer is looked at")
    PREVENTED = "prevented", _("Prevented before it became a chargeback")
    CHARGE_REFUNDED = "charge_refunded", _("Closed, because the payment was refunded")


# What waits for an answer of ours, with a deadline.
DISPUTE_UNANSWERED = (
    DisputeStatus.NEEDS_RESPONSE, DisputeStatus.WARNING_NEEDS_RESPONSE, DisputeStatus.APPEAL_NEEDS_RESPONSE,
)  # fmt: skip
# An appeal begins after the decision against us. One that was prevented has taken money all the same where it was
# settled with the buyer (payments.stripe_api.snapshots.payment): then it is lost.
DISPUTE_PHASES: dict[str, DisputePhase] = {
    DisputeStatus.WARNING_NEEDS_RESPONSE: DisputePhase.INQUIRY,
    DisputeStatus.WARNING_UNDER_REVIEW: DisputePhase.INQUIRY,
    DisputeStatus.WARNING_CLOSED: DisputePhase.CLOSED,
    DisputeStatus.NEEDS_RESPONSE: DisputePhase.OPEN,
    DisputeStatus.UNDER_REVIEW: DisputePhase.OPEN,
    DisputeStatus.LOST: DisputePhase.LOST,
    DisputeStatus.APPEAL_NEEDS_RESPONSE: DisputePhase.LOST,
    DisputeStatus.APPEAL_UNDER_REVIEW: DisputePhase.LOST,
    DisputeStatus.WON: DisputePhase.CLOSED,
    DisputeStatus.PREVENTED: DisputePhase.CLOSED,
    DisputeStatus.CHARGE_REFUNDED: DisputePhase.CLOSED,
}
# What ended before any money moved: a chargeback may still follow, so it beats no decision.
ENDED_BEFORE_CHARGEBACK = (DisputeStatus.WARNING_CLOSED, DisputeStatus.PREVENTED)


def dispute_rank(status: str, phase: int) -> int:
    """How far it has come: inquiry < end of an inquiry, chargeback < lost < won, be the win ever so late."""
    if phase == DisputePhase.CLOSED:
        return 1 if status in ENDED_BEFORE_CHARGEBACK else 3
    return {DisputePhase.INQUIRY: 0, DisputePhase.OPEN: 1, DisputePhase.LOST: 2}[DisputePhase(phase)]


class DisputeState(models.TextChoices):
    """What the disputes of an order mean for it, laid over its status; a part of its money never means the whole.

    INQUIRY: no money has moved, and nothing follows from it.
    """

    NONE = "", _("None")
    INQUIRY = "INQUIRY", _("The bank asks")
    OPEN = "OPEN", _("Disputed")
    LOST = "LOST", _("Dispute lost")


class SubscriptionStatus(models.TextChoices):
    """https://docs.stripe.com/api/subscriptions/object#subscription_object-status; UNKNOWN: named, not told of yet."""

    UNKNOWN = "", _("Not known yet")
    INCOMPLETE = "incomplete", _("First payment is missing")
    INCOMPLETE_EXPIRED = "incomplete_expired", _("First payment never came")
    TRIALING = "trialing", _("On trial")
    ACTIVE = "active", _("Active")
    PAST_DUE = "past_due", _("Payment overdue")
    UNPAID = "unpaid", _("Unpaid")
    PAUSED = "paused", _("Paused")
    CANCELED = "canceled", _("Ended")


SUBSCRIPTION_ENDED = frozenset({SubscriptionStatus.CANCELED, SubscriptionStatus.INCOMPLETE_EXPIRED})
# What is paid for and gives access.
SUBSCRIPTION_PAYING = (SubscriptionStatus.ACTIVE, SubscriptionStatus.TRIALING)
# What is not paid although it goes on.
SUBSCRIPTION_OVERDUE = (SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID)
# Named by an event or begun, but not paid for yet.
SUBSCRIPTION_NOT_BEGUN = (SubscriptionStatus.INCOMPLETE, SubscriptionStatus.UNKNOWN)
# https://docs.stripe.com/api/subscriptions/object#subscription_object-pause_collection-behavior
PAUSE_BEHAVIORS = frozenset({"keep_as_draft", "mark_uncollectible", "void"})
# https://docs.stripe.com/api/invoices/object#invoice_object-status
INVOICE_STATUSES = frozenset({"draft", "open", "paid", "uncollectible", "void"})
# The rank within a second; what has ended stays so (docs/adr/0009-subscriptions.md).
SUBSCRIPTION_ORDER: dict[str, int] = {
    SubscriptionStatus.INCOMPLETE: 1,
    SubscriptionStatus.PAST_DUE: 2,
    SubscriptionStatus.UNPAID: 2,
    SubscriptionStatus.PAUSED: 2,
    SubscriptionStatus.TRIALING: 3,
    SubscriptionStatus.ACTIVE: 4,
    SubscriptionStatus.INCOMPLETE_EXPIRED: 5,
    SubscriptionStatus.CANCELED: 6,
}


class MoneyBack(models.TextChoices):
    """How all the money went back that had paid the running period of a subscription."""

    NONE = "", _("no")
    REFUNDED = "refunded", _("Refunded")
    DISPUTE_LOST = "dispute_lost", _("Dispute lost")


class Accepted(models.TextChoices):
    """What staff have said of a payment that does not fit its order by itself; each includes the one before."""

    NO = "", _("Nothing")
    PAGE = "page", _("It belongs to the order, whichever payment page it came through")
    WHOLE = "whole", _("It pays the order, whatever its amount")


class PayoutStatus(models.TextChoices):
    """https://docs.stripe.com/api/payouts/object#payout_object-status"""

    PENDING = "pending", _("Pending")
    IN_TRANSIT = "in_transit", pgettext_lazy("of a payout", "On its way")
    PAID = "paid", pgettext_lazy("of a payout", "At the bank")
    FAILED = "failed", _("Failed")
    CANCELED = "canceled", _("Canceled")


class EntryKind(models.TextChoices):
    """What moved Stripe's balance: https://docs.stripe.com/reports/reporting-categories"""

    PAYMENT = "payment", _("Payment")
    REFUND = "refund", _("Refund")
    DISPUTE = "dispute", _("Dispute")
    FEE = "fee", _("Fee")
    ADJUSTMENT = "adjustment", _("Adjustment")
    OTHER = "other", _("Other")
    PAYOUT = "payout", _("Payout")


# By Stripe's reporting category; any other is OTHER.
ENTRY_KINDS: dict[str, EntryKind] = {
    **dict.fromkeys(("charge", "charge_failure"), EntryKind.PAYMENT),
    **dict.fromkeys(("refund", "refund_failure", "partial_capture_reversal"), EntryKind.REFUND),
    **dict.fromkeys(("dispute", "dispute_reversal"), EntryKind.DISPUTE),
    **dict.fromkeys(("fee", "network_cost", "tax"), EntryKind.FEE),
    **dict.fromkeys(("payout", "payout_reversal"), EntryKind.PAYOUT),
    "other_adjustment": EntryKind.ADJUSTMENT,
}


class EntryFinding(models.TextChoices):
    """What is odd about one of them."""

    NONE = "", _("Nothing")
    DIFFERS = "differs", _("Another amount than known here")
    UNKNOWN = "unknown", _("Not known here")


class ExceptionKind(models.TextChoices):
    """Why money needs a person."""

    AMOUNT_MISMATCH = "AMOUNT_MISMATCH", _("Amount or currency differs")
    SECOND_PAYMENT = "SECOND_PAYMENT", _("Paid twice")
    NO_PLACE = "NO_PLACE", _("Paid without a place")
    UNKNOWN_ORDER = "UNKNOWN_ORDER", _("Names an order that does not exist")
    UNKNOWN_SESSION = "UNKNOWN_SESSION", _("Paid through a session that is not ours")
    SECOND_SUBSCRIPTION = "SECOND_SUBSCRIPTION", _("Subscribed twice")
    NOT_AT_STRIPE = "NOT_AT_STRIPE", _("Here, but not at Stripe")
    PARTLY_DISPUTED = "PARTLY_DISPUTED", _("Part of the money is disputed or lost")
    FRAUD_WARNING = "FRAUD_WARNING", _("Card network warns of fraud")
    REFUND_OWED = "REFUND_OWED", _("Refund owed")
    NOT_DELIVERED = "NOT_DELIVERED", _("Message not delivered")
    CHECKOUT_REFUSED = "CHECKOUT_REFUSED", _("Stripe refuses the payment page")
    UNKNOWN_SUBSCRIPTION = "UNKNOWN_SUBSCRIPTION", _("Paid for a subscription that is unknown")
    PAID_AFTER_END = "PAID_AFTER_END", _("Paid for a subscription that is over")
    PARTLY_REFUNDED = "PARTLY_REFUNDED", _("A part of the running period was refunded")
    PERIOD_REFUNDED = "PERIOD_REFUNDED", _("The money of the running period went back")
    UNKNOWN_PRICE = "UNKNOWN_PRICE", _("Subscription with a price that is unknown here")
    ACCOUNT_CLOSED = "ACCOUNT_CLOSED", _("Account switched off, subscription goes on")
    PAYOUT_MISMATCH = "PAYOUT_MISMATCH", _("Payout does not add up")


# No money of an order waits for the answer: it is cleaned up as any other, and nothing is refunded to settle it.
ABOUT_NO_MONEY = (
    ExceptionKind.NOT_DELIVERED, ExceptionKind.CHECKOUT_REFUSED, ExceptionKind.UNKNOWN_PRICE,
    ExceptionKind.ACCOUNT_CLOSED, ExceptionKind.PAYOUT_MISMATCH,
)  # fmt: skip


class EventStatus(models.TextChoices):
    """Life of a ledger row (docs/adr/0003-ledger-is-the-queue.md)."""

    RECEIVED = "RECEIVED", _("Received")
    PROCESSED = "PROCESSED", _("Processed")
    IGNORED = "IGNORED", _("Ignored")
    FAILED = "FAILED", _("Failed, will be tried again")
    DEAD = "DEAD", _("Given up")
    HELD = "HELD", _("Held back")


# What has come to its end as it should, and what has not and is tried again or was given up.
EVENT_DONE = (EventStatus.PROCESSED, EventStatus.IGNORED)
EVENT_FAILING = (EventStatus.FAILED, EventStatus.DEAD)


class EffectStatus(models.TextChoices):
    """Life of a mail, alert or refund that a change asked for."""

    PENDING = "PENDING", _("Waiting")
    CLAIMED = "CLAIMED", _("Being delivered")
    DONE = "DONE", _("Delivered")
    SKIPPED = "SKIPPED", _("Skipped")
    UNCERTAIN = "UNCERTAIN", _("Uncertain")
    DEAD = "DEAD", _("Given up")
