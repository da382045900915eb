"""What the events of a dispute say: https://docs.stripe.com/api/events/types#event_types-charge.dispute.created"""

from datetime import datetime

from payments.facts import DisputeFact, Facts
from payments.handlers.registry import EventView, handles
from payments.stripe_api.snapshots import Dispute


@handles("charge.dispute.created")
def created(event: EventView) -> Facts:
    """The buyer's bank doubts the payment; it may come already lost."""
    yield from _whole_dispute(event)


@handles("charge.dispute.updated")
def updated(event: EventView) -> Facts:
    """Evidence or state changed."""
    yield from _whole_dispute(event)


@handles("charge.dispute.closed")
def closed(event: EventView) -> Facts:
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


def dispute_fact(dispute: Dispute, *, at: datetime) -> DisputeFact:
    """The dispute as it stood at that moment."""
    return DisputeFact(
        dispute.about,
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
    yield dispute_fact(Dispute.read(event.object), at=event.occurred_at)
