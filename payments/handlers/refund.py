"""What the events of a refund say: https://docs.stripe.com/api/events/types#event_types-refund.created"""

from datetime import datetime

from payments.facts import About, Facts, RefundFact
from payments.handlers.registry import EventView, handles
from payments.stripe_api.snapshots import Refund


@handles("refund.created")
def created(event: EventView) -> Facts:
    """Money is on its way back."""
    yield from _whole_refund(event)


@handles("refund.updated")
def updated(event: EventView) -> Facts:
    """Something about a refund changed: its state, or only its reference number."""
    yield from _whole_refund(event)


@handles("refund.failed")
def failed(event: EventView) -> Facts:
    """The money did not reach the buyer and is ours again."""
    yield from _whole_refund(event)


@handles("charge.refund.updated")
def charge_refund_updated(event: EventView) -> Facts:
    """The older name of `refund.updated`, sent beside it for some payment methods."""
    yield from _whole_refund(event)


def refund_fact(refund: Refund, *, about: About, at: datetime) -> RefundFact:
    """The refund as it stood at that moment; its names come from whatever object told of it."""
    return RefundFact(
        about,
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
    refund = Refund.read(event.object)
    yield refund_fact(refund, about=refund.about, at=event.occurred_at)
