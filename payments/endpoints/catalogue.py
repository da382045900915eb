"""What each type of event is good for, in words and in the reader's language: docs/events.md is printed from here.

A type that is handled and has no line here fails a test, as does a mail that follows and is not named.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from payments.endpoints.wanted import rank_of
from payments.handlers.registry import THIN_TYPES, handled_types


@dataclass(frozen=True, slots=True)
class Line:
    """`says`: what has happened at Stripe. `does`: what follows here. `mails`: the kinds that may go out for it."""

    says: object
    does: object
    mails: tuple[str, ...] = ()


PAID_MAILS = ("registration.confirmed", "registration.no_place", "module.opened")
FAILED_MAILS = ("registration.failed", "module.failed")
UNDER_WAY_MAILS = ("registration.processing",)
CLOSED_MAILS = ("registration.closed",)
REFUND_MAILS = (
    "registration.refunded", "module.refunded", "order.refunded_in_part", "subscription.refunded",
    "subscription.access_ended", "alert.refund_waits",
)  # fmt: skip
REFUND_FAILED_MAILS = (
    "alert.refund_failed", "order.refund_failed", "subscription.refund_failed", "registration.confirmed",
)  # fmt: skip
LOST_MAILS = (
    "alert.dispute_closed", "order.payment_taken_back", "subscription.payment_taken_back", "subscription.access_ended",
)  # fmt: skip
DISPUTE_MAILS = ("alert.dispute", *LOST_MAILS)

PAID = _("The order becomes PAID, the place is kept, the module opens. Amount or currency differ: staff are asked.")
WHOLE_REFUND = _("Every event of a refund carries the whole refund: it is counted once, whichever comes first.")
WHOLE_DISPUTE = _("Every event of a dispute carries the whole dispute. Won: as before. Lost: place and access end.")
WHOLE_SUBSCRIPTION = _("State, plan and period are taken over; the modules of the plan open, stay open or close.")
SETTLED = _("The paid period counts: access goes on to its end.")

CATALOGUE: dict[str, Line] = {
    "checkout.session.completed": Line(
        _("The buyer went through Checkout."),
        _("Paid: as payment_intent.succeeded. A delayed method: the order waits in PROCESSING and keeps its place."),
        (*PAID_MAILS, *UNDER_WAY_MAILS),
    ),
    "checkout.session.expired": Line(
        _("Nobody can pay on this payment page any more."),
        _("The order becomes EXPIRED, its place is free. The row stays as evidence."),
        CLOSED_MAILS,
    ),
    "checkout.session.async_payment_succeeded": Line(_("A delayed method brought the money."), PAID, PAID_MAILS),
    "checkout.session.async_payment_failed": Line(
        _("A delayed method brought no money."),
        _("The order becomes FAILED. The buyer may begin again for 24 hours; then the clean-up frees the place."),
        FAILED_MAILS,
    ),
    "payment_intent.succeeded": Line(_("The money is here: the second road to a paid order."), PAID, PAID_MAILS),
    "payment_intent.payment_failed": Line(
        _("The bank declined one try."),
        _("The order becomes FAILED, one e-mail says why. The buyer may try again: a payment still makes it PAID."),
        FAILED_MAILS,
    ),
    "payment_intent.canceled": Line(
        _("No money will come through this payment."),
        _("The order becomes CANCELED (EXPIRED, if time ran out), its place is free. The row stays as evidence."),
        CLOSED_MAILS,
    ),
    "payment_intent.requires_action": Line(
        _("The bank asks the buyer to confirm (3-D Secure)."),
        _("The order becomes ACTION_REQUIRED and keeps its place. An e-mail goes out after ten minutes, if it waits."),
        ("registration.action_required",),
    ),
    "payment_intent.processing": Line(
        _("A delayed method is under way; it may take days."),
        _("The order waits in PROCESSING and keeps its place."),
        UNDER_WAY_MAILS,
    ),
    "charge.refunded": Line(
        _("Money went back, wholly or in part."),
        _("Nothing is left: the order becomes REFUNDED, place and access end. A part: it stays PAID."),
        REFUND_MAILS,
    ),
    "refund.created": Line(_("A refund was begun."), WHOLE_REFUND, REFUND_MAILS),
    "refund.updated": Line(_("The state of a refund, or its reference number, changed."), WHOLE_REFUND, REFUND_MAILS),
    "refund.failed": Line(
        _("The money did not reach the buyer and is ours again."),
        _("The order is PAID again, and the desk asks staff (Refund owed)."),
        REFUND_FAILED_MAILS,
    ),
    "charge.refund.updated": Line(_("The older name of refund.updated."), WHOLE_REFUND, REFUND_MAILS),
    "charge.dispute.created": Line(
        _("The buyer's bank doubts the payment."),
        _("The order is disputed, with its deadline; place and access stay until it is lost."),
        DISPUTE_MAILS,
    ),
    "charge.dispute.updated": Line(_("State or deadline of a dispute changed."), WHOLE_DISPUTE, DISPUTE_MAILS),
    "charge.dispute.closed": Line(_("Won, lost, or the bank asks no more."), WHOLE_DISPUTE, DISPUTE_MAILS),
    "charge.dispute.funds_withdrawn": Line(_("The bank holds the money of a dispute."), WHOLE_DISPUTE, DISPUTE_MAILS),
    "charge.dispute.funds_reinstated": Line(
        _("The money of a dispute, or a part of it, is back."), WHOLE_DISPUTE, DISPUTE_MAILS
    ),
    "radar.early_fraud_warning.created": Line(
        _("A card network believes that a payment was not its owner's."),
        _("The desk asks staff, who can refund before it is disputed. Access stays."),
        ("alert.fraud_warning",),
    ),
    "radar.early_fraud_warning.updated": Line(
        _("Nothing is to be done about a warning any more."), _("The question closes by itself.")
    ),
    "customer.subscription.created": Line(
        _("A subscription was begun."), _("It is noted; nothing opens before the first payment or a trial.")
    ),
    "customer.subscription.updated": Line(
        _("A renewal, another plan, a planned end, a pause."), WHOLE_SUBSCRIPTION, ("subscription.ending_soon",)
    ),
    "customer.subscription.deleted": Line(
        _("A subscription has ended."), _("The modules that only this subscription opened close.")
    ),
    "customer.subscription.paused": Line(_("A subscription pauses."), WHOLE_SUBSCRIPTION),
    "customer.subscription.resumed": Line(_("A subscription goes on."), WHOLE_SUBSCRIPTION),
    "customer.subscription.trial_will_end": Line(
        _("A trial ends in three days."), _("The subscriber is told."), ("subscription.trial_will_end",)
    ),
    "invoice.paid": Line(_("An invoice is settled."), SETTLED),
    "invoice.payment_succeeded": Line(_("Stripe has taken the money for an invoice."), SETTLED),
    "invoice.payment_failed": Line(
        _("One attempt to collect failed; Stripe may try again."),
        _("Access goes on for the days of grace (PAST_DUE_GRACE_DAYS). The subscriber is told."),
        ("subscription.payment_failed",),
    ),
    "invoice.payment_action_required": Line(
        _("The bank asks the subscriber to confirm a renewal."),
        _("The subscriber is told where to confirm."),
        ("subscription.action_required",),
    ),
    "invoice.finalization_failed": Line(
        _("Stripe cannot make an invoice ready to be paid."), _("Staff are told."), ("alert.finalization_failed",)
    ),
    "invoice_payment.paid": Line(
        _("Which payment has paid which invoice."), _("Refunds and disputes find the subscription by it.")
    ),
    "customer.created": Line(_("A customer was made at Stripe."), _("Kept once they have bought something of ours.")),
    "customer.updated": Line(
        _("Address, name or city of a customer changed."), _("Customer and city are taken over (Figures).")
    ),
    "customer.deleted": Line(_("A customer was deleted at Stripe."), _("What was paid stays as it is.")),
    "setup_intent.succeeded": Line(_("A card was saved for later."), _("Kept and ignored: that pays nothing.")),
    "v2.core.health.event_generation_failure.resolved": Line(
        _("Stripe could not make an event (thin event, a destination of its own)."),
        _("Stripe is asked about the object that it names; what belongs to us is resynced."),
    ),
}

TITLE = _("Event types")
INTRODUCTION = _(
    "Every event type that is understood here, with its rank and with what follows from it. Printed by `make docs` "
    "from the program itself; `manage.py stripe_webhooks plan` compares it with the endpoint at Stripe."
)
RANKS = _(
    "*critical*: without it money or an end is not seen. *recommended*: something is missing without it. "
    "*optional*: it says once more what another type says. An unknown type is kept and ignored. In which order and "
    "how often events come changes nothing of the end."
)
COLUMNS = (_("type"), _("rank"), _("what has happened"), _("what follows here"), _("e-mails that may go out"))
APART = _("apart")


def described() -> Iterator[tuple[str, str, Line]]:
    """Type, rank and line of all that is handled: critical ones first, thin ones last, each rank by name."""
    ranks = ["critical", "recommended", "optional"]
    for name in sorted(handled_types(), key=lambda name: (ranks.index(rank_of(name)), name)):
        yield name, str(rank_of(name)), CATALOGUE[name]
    for name in CATALOGUE:
        if name.startswith(THIN_TYPES):
            yield name, str(APART), CATALOGUE[name]


def as_markdown() -> str:
    """The whole document, in the language that is on."""
    heads = [str(column) for column in COLUMNS]
    lines = [f"# {TITLE}", "", str(INTRODUCTION), "", str(RANKS), ""]
    lines += [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, rank, line in described():
        mails = ", ".join(f"`{kind}`" for kind in line.mails)
        lines.append(f"| `{name}` | {rank} | {line.says} | {line.does} | {mails or '–'} |")
    return "\n".join(lines)
