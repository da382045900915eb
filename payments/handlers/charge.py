"""What the events of a charge say: https://docs.stripe.com/api/events/types#event_types-charge.refunded"""

from payments.facts import Facts, Nothing, PaymentFact
from payments.handlers.refund import refund_fact
from payments.handlers.registry import EventView, handles
from payments.stripe_api.snapshots import Charge


@handles("charge.refunded")
def refunded(event: EventView) -> Facts:
    """Money went back, wholly or in part. A refunded charge was paid before: the fact says both, and when."""
    charge = Charge.read(event.object)
    if not charge.captured:
        # https://docs.stripe.com/api/charges/capture: an uncaptured charge that ends is marked as refunded.
        yield Nothing("nothing was captured, so no money went back: a hold on the card was released")
        return
    yield PaymentFact(
        charge.about,
        received=charge.captured,
        currency=charge.currency,
        occurred_at=charge.paid_at or event.occurred_at,
        refunded=charge.refunded,
    )
    for refund in charge.refunds:
        yield refund_fact(refund, about=charge.about, at=event.occurred_at)
