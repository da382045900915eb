"""Thin events: they name what they are about, and say nothing of it (https://docs.stripe.com/event-destinations).

Of one that tells that an event could not be made, Stripe puts the name into its `data`, which not every delivery
carries: https://docs.stripe.com/webhooks/handle-irrecoverable-events
"""

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]
THIN = "v2.core.event"


def named_by(event: Json) -> Json:
    """The object that it is about, as {"id": …, "type": …}; {} where it names none."""
    impact = _inner(_inner(event, "data"), "impact")
    if related := _inner(impact, "related_object"):
        return related
    # As it was called before https://docs.stripe.com/changelog/clover/2025-11-17/event-generation-failure-alert
    if impact.get("related_object_id"):
        return {"id": impact["related_object_id"]}
    return _inner(event, "related_object")


def account_of(event: Json) -> Any:
    """The connected account that it is about; None for our own."""
    impact = _inner(_inner(event, "data"), "impact")
    return event.get("context") or impact.get("context") or impact.get("account")


def _inner(source: Json, name: str) -> Json:
    value = source.get(name)
    return value if isinstance(value, Mapping) else {}
