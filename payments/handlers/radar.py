"""What the warnings of card networks say: https://docs.stripe.com/disputes/measuring#early-fraud-warnings"""

from payments.facts import Facts
from payments.handlers.registry import EventView, handles
from payments.stripe_api.snapshots import StripeFraudWarning


@handles(
    "radar.early_fraud_warning.created",  # a dispute will most likely follow, unless the money goes back before it
    "radar.early_fraud_warning.updated",  # disputed or refunded meanwhile: nothing is to be done any more
)
def fraud_warning(event: EventView) -> Facts:
    """Both events carry the whole warning."""
    yield StripeFraudWarning.read(event.object).to_fact(at=event.occurred_at)
