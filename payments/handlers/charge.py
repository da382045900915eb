"""What the events of charges, refunds and disputes say: https://docs.stripe.com/api/events/types#event_types-charge.refunded"""

from datetime import datetime

from payments.facts import DisputeFact, Facts, NoFacts, ObjectRefs, PaymentFact, RefundFact
from payments.handlers.registry import EventView, handles
from payments.stripe_api.snapshots import StripeCharge, StripeDispute, StripeRefund


@handles("charge.refunded")
def refunded(event: EventView) -> Facts:
    """Money went back, wholly or in part. A refunded charge was paid before: the fact says both, and when."""
    charge = StripeCharge.read(event.object)
    if not charge.captured:
        # https://docs.stripe.com/api/charges/capture: an uncaptured charge that ends is marked as refunded.
        yield NoFacts("nothing was captured, so no money went back: a hold on the card was released")
        return
    yield PaymentFact(
        charge.refs,
        received=charge.captured,
        currency=charge.currency,
        occurred_at=charge.paid_at or event.occurred_at,
        refunded=charge.refunded,
    )
    for refund in charge.refunds:
        yield refund_fact(refund, refs=charge.refs, at=event.occurred_at)


@handles("refund.created")
def refund_created(event: EventView) -> Facts:
    """Money is on its way back."""
    yield from _whole_refund(event)


@handles("refund.updated")
def refund_updated(event: EventView) -> Facts:
    """Something about a refund changed: its state, or only its reference number."""
    yield from _whole_refund(event)


@handles("refund.failed")
def refund_failed(event: EventView) -> Facts:
    """The money did not reach the buyer and is ours again."""
    yield from _whole_refund(event)


@handles("charge.refund.updated")
def charge_refund_updated(event: EventView) -> Facts:
    """The older name of `refund.updated`, sent beside it for some payment methods."""
    yield from _whole_refund(event)


def refund_fact(refund: StripeRefund, *, refs: ObjectRefs, at: datetime) -> RefundFact:
    """The refund as it stood at that moment; its names come from whatever object told of it."""
    return RefundFact(
        refs,
        refund=refund.id,
        amount=refund.amount,
        currency=refund.currency,
        status=refund.status,
        occurred_at=at,
        reason=refund.reason,
        failure_reason=refund.failure_reason,
    )


def _whole_refund(event: EventView) -> Facts:
    """Every event of a refund carries the whole refund, so all of them say the same."""
    refund = StripeRefund.read(event.object)
    yield refund_fact(refund, refs=refund.refs, at=event.occurred_at)


@handles("charge.dispute.created")
def dispute_created(event: EventView) -> Facts:
    """The buyer's bank doubts the payment; it may come already lost."""
    yield from _whole_dispute(event)


@handles("charge.dispute.updated")
def dispute_updated(event: EventView) -> Facts:
    """Evidence or state changed."""
    yield from _whole_dispute(event)


@handles("charge.dispute.closed")
def dispute_closed(event: EventView) -> Facts:
    """Decided: won, lost, or an inquiry that came to nothing."""
    yield from _whole_dispute(event)


@handles("charge.dispute.funds_withdrawn")
def funds_withdrawn(event: EventView) -> Facts:
    """The bank took the money for the time of the dispute: the status says what that means."""
    yield from _whole_dispute(event)


@handles("charge.dispute.funds_reinstated")
def funds_reinstated(event: EventView) -> Facts:
    """The bank gave money back, not always all, not always because the dispute was won."""
    yield from _whole_dispute(event)


def dispute_fact(dispute: StripeDispute, *, at: datetime) -> DisputeFact:
    """The dispute as it stood at that moment."""
    return DisputeFact(
        dispute.refs,
        dispute=dispute.id,
        amount=dispute.amount,
        currency=dispute.currency,
        status=dispute.status,
        occurred_at=at,
        reason=dispute.reason,
        due_by=dispute.due_by,
    )


def _whole_dispute(event: EventView) -> Facts:
    """Every event of a dispute carries the whole dispute, so all of them say the same."""
    yield dispute_fact(StripeDispute.read(event.object), at=event.occurred_at)
