"""Where orders stand: paid, waiting, overdue, closed; questions about their money; refunds and disputes."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.diagnosis.findings import Finding, Remedy, Severity, moment, name_of, rule
from payments.diagnosis.records import Records
from payments.money import format_amount
from payments.orders.decline_reasons import decline_reason_of
from payments.orders.models import Order
from payments.statuses import (
    AWAITING_PAYMENT,
    CLOSED_STATUSES,
    DISPUTE_UNANSWERED,
    REFUND_FINAL,
    WAITS_FOR_FUNDS,
    DisputePhase,
    DisputeState,
    ExceptionKind,
    OrderStatus,
)

# The clean-up runs every five minutes.
CLEANUP_IS_LATE = timedelta(minutes=15)
DECIDE = gettext_lazy("Decide on its page: the buttons there show what can be done.")
REMEDIES = {
    ExceptionKind.AMOUNT_MISMATCH: gettext_lazy("Refund it, or dismiss the question, on its page."),
    ExceptionKind.SECOND_PAYMENT: gettext_lazy("Refund the second payment on its page."),
    ExceptionKind.NO_PLACE: gettext_lazy("Give a place as soon as one is free, or refund, on its page."),
    ExceptionKind.REFUND_OWED: gettext_lazy("Put right what Stripe names, then “Refund again…” on its page."),
    ExceptionKind.UNKNOWN_PRICE: gettext_lazy("Enter the price at its plan, or cancel the subscription on its page."),
    ExceptionKind.NOT_DELIVERED: gettext_lazy("Correct the address where it is wrong, then “Send again…” on its page."),
}


@rule("order.paid", Severity.FINE)
def paid_orders(records: Records) -> Iterator[Finding]:
    """The money is here."""
    for order in records.orders:
        if order.has_money:
            sentence = (
                _("%(order)s is paid: %(amount)s received (%(moment)s).")
                if order.amount
                else _("%(order)s is free of charge, and confirmed.")
            )
            yield Finding(sentence % _about(order, amount=order.received_text, moment=moment(order.paid_at)), order)


@rule("order.waiting", Severity.NOTE)
def waiting_orders(records: Records) -> Iterator[Finding]:
    """The buyer may still pay: the payment page is open at Stripe, or a payment is under way."""
    for order in records.orders:
        if order.status == OrderStatus.PROCESSING:
            sentence = _("A payment of %(order)s is under way: a delayed method may take days.")
            yield Finding(sentence % _about(order), order)
        elif order.status in AWAITING_PAYMENT and order.amount:
            yield Finding(_waiting_sentence(order, records), order)


def _waiting_sentence(order: Order, records: Records) -> str:
    checkout = records.last_checkout(order)
    if order.status == OrderStatus.FAILED:
        return _("The last payment of %(order)s failed: %(reason)s") % _about(order, reason=decline_reason_of(order))
    if checkout and checkout.expires_at and checkout.expires_at > records.at:
        sentence = _("%(order)s is not paid yet: its payment page at Stripe is open (until %(moment)s).")
        return sentence % _about(order, moment=moment(checkout.expires_at))
    return _("%(order)s is not paid, and no payment page is open.") % _about(order)


@rule("order.overdue", Severity.WAITING)
def overdue_orders(records: Records) -> Iterator[Finding]:
    """Its payment page is over, and the clean-up has not settled it: it asks Stripe before it closes anything."""
    for order in records.orders:
        checkout = records.last_checkout(order)
        is_over = checkout and checkout.expires_at and checkout.expires_at + CLEANUP_IS_LATE < records.at
        if order.status in (OrderStatus.PENDING, OrderStatus.ACTION_REQUIRED) and checkout and is_over:
            sentence = _("%(order)s still waits, though its payment page is over (since %(moment)s).")
            remedy = Remedy(
                _("Ask Stripe how it ended; the clean-up does the same by itself."), row=order,
                action="resync_order_action", command=f"manage.py resync order {order.number}",
            )  # fmt: skip
            yield Finding(sentence % _about(order, moment=moment(checkout.expires_at)), order, (), remedy)


@rule("order.closed", Severity.NOTE)
def closed_orders(records: Records) -> Iterator[Finding]:
    """It ended without money."""
    for order in records.orders:
        if order.status in CLOSED_STATUSES:
            sentence = _("%(order)s ended without a payment (%(state)s); what it held is free again.")
            remedy = Remedy(
                _("If they say that they have paid, ask Stripe: money that came is then taken in."), row=order,
                action="resync_order_action", command=f"manage.py resync order {order.number}",
            )  # fmt: skip
            yield Finding(sentence % _about(order, state=order.get_status_display()), order, (), remedy)


@rule("order.refunded", Severity.NOTE)
def refunded_orders(records: Records) -> Iterator[Finding]:
    """All of it or a part has gone back."""
    for order in records.orders:
        if order.amount_refunded:
            sentence = _("%(amount)s of %(order)s was refunded.")
            yield Finding(sentence % _about(order, amount=order.refunded_text), order)


@rule("question", Severity.PROBLEM)
def open_questions(records: Records) -> Iterator[Finding]:
    """Something about the money that a person must decide: amount, second payment, no place, refund owed, …"""
    for question in records.questions:
        told = " – ".join(filter(None, (question.get_kind_display(), question.detail_text)))
        remedy = Remedy(str(REMEDIES.get(ExceptionKind(question.kind), DECIDE)), row=question)
        owner = records.owner_of(question)
        if owner is not question:
            told = _("%(owner)s: %(question)s") % {"owner": name_of(owner), "question": told}
        yield Finding(told, owner, [question], remedy)


@rule("refund.under_way", Severity.WAITING)
def pending_refunds(records: Records) -> Iterator[Finding]:
    """Asked for, and not there yet."""
    for refund in records.refunds:
        if refund.status in REFUND_FINAL:
            continue
        values = {"refund": refund.stripe_id, "amount": format_amount(refund.amount, refund.currency)}
        sentence = _("The refund %(refund)s of %(amount)s is under way.") % values
        remedy = (
            Remedy(_("Stripe’s balance does not suffice: top it up."))
            if refund.pending_reason == WAITS_FOR_FUNDS
            else None
        )
        yield Finding(sentence, records.owner_of(refund), [refund], remedy)


@rule("dispute.deadline", Severity.PROBLEM)
def unanswered_disputes(records: Records) -> Iterator[Finding]:
    """The bank waits for an answer."""
    for dispute in records.disputes:
        if dispute.status in DISPUTE_UNANSWERED:
            values = {
                "dispute": dispute.stripe_id, "amount": format_amount(dispute.amount, dispute.currency),
                "moment": moment(dispute.due_by),
            }  # fmt: skip
            sentence = _("The dispute %(dispute)s about %(amount)s waits for an answer (by %(moment)s).") % values
            remedy = Remedy(
                _("Answer it in the Stripe Dashboard; the evidence pack is on its page."), row=dispute,
                command=f"manage.py evidence {dispute.stripe_id}",
            )  # fmt: skip
            yield Finding(sentence, records.owner_of(dispute), [dispute], remedy)


@rule("dispute.open", Severity.WAITING)
def reviewed_disputes(records: Records) -> Iterator[Finding]:
    """Answered; the bank decides. Access stays meanwhile."""
    for dispute in records.disputes:
        if dispute.phase in (DisputePhase.INQUIRY, DisputePhase.OPEN) and dispute.status not in DISPUTE_UNANSWERED:
            sentence = _("The dispute %(dispute)s is with the bank: %(state)s.")
            told = sentence % {"dispute": dispute.stripe_id, "state": dispute.get_status_display()}
            yield Finding(told, records.owner_of(dispute), [dispute])


@rule("dispute.lost", Severity.NOTE)
def lost_disputes(records: Records) -> Iterator[Finding]:
    """What it had bought has ended."""
    for order in records.orders:
        if order.dispute_state == DisputeState.LOST:
            yield Finding(_("A dispute about %(order)s is lost, and what it bought has ended.") % _about(order), order)


def _about(order: Order, **more: object) -> dict[str, object]:
    return {"order": order.number, **more}
