"""What the events of charges, refunds, disputes and the warnings of card networks say.

https://docs.stripe.com/api/events/types#event_types-charge.refunded
"""

from payments.facts import Facts, NoFacts, PaymentFact
from payments.handlers.registry import EventView, handles
from payments.stripe_api.snapshots import StripeCharge, StripeDispute, StripeFraudWarning, StripeRefund


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
        yield refund.to_fact(refs=charge.refs, at=event.occurred_at)


@handles(
    "refund.created",
    "refund.updated",  # its state, or only its reference number
    "refund.failed",  # the money did not reach the buyer and is ours again
    "charge.refund.updated",  # the older name of `refund.updated`, sent beside it for some payment methods
)
def refund(event: EventView) -> Facts:
    """Every event of a refund carries the whole refund, so all of them say the same."""
    yield StripeRefund.read(event.object).to_fact(at=event.occurred_at)


@handles(
    "charge.dispute.created",  # the buyer's bank doubts the payment; it may come already lost
    "charge.dispute.updated",
    "charge.dispute.closed",  # won, lost, or an inquiry that came to nothing
    "charge.dispute.funds_withdrawn",  # for the time of the dispute: the status says what that means
    "charge.dispute.funds_reinstated",  # not always all, not always because the dispute was won
)
def dispute(event: EventView) -> Facts:
    """Every event of a dispute carries the whole dispute, so all of them say the same."""
    yield StripeDispute.read(event.object).to_fact(at=event.occurred_at)


@handles(
    "radar.early_fraud_warning.created",  # a dispute will most likely follow, unless the money goes back before it
    "radar.early_fraud_warning.updated",  # disputed or refunded meanwhile: nothing is to be done any more
)
def fraud_warning(event: EventView) -> Facts:
    """Both events carry the whole warning: https://docs.stripe.com/disputes/measuring#early-fraud-warnings"""
    yield StripeFraudWarning.read(event.object).to_fact(at=event.occurred_at)
