"""What an update asks of a subscription: https://docs.stripe.com/api/subscriptions/update"""

from typing import Any

from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.life import renewals
from stripe_emulator.life.subscription_items import changed_items, interval_of
from stripe_emulator.life.subscriptions import cancelling, change, wait_for_period_end
from stripe_emulator.models import StoredObject
from stripe_emulator.shapes.subscription import items_of
from stripe_emulator.timers import drop_timer, set_timer

PLAIN = ("collection_method", "days_until_due", "default_payment_method", "description")


def apply_changes(subscription: StoredObject, params: Json, *, at: int) -> None:
    """All that the parameters ask for, told as one change. Nothing is prorated: other prices count from the next
    period on. An interval of another length begins a new period now, which is billed at once; so does the end of a
    trial. Metadata, also of items, is what it is to be afterwards. Raises StripeRefusal.
    """
    fields: Json = {name: params[name] or None for name in PLAIN if name in params}
    if "metadata" in params:
        fields["metadata"] = params["metadata"]
    fields |= trial_settings(params)
    if "pause_collection" in params:
        paused = params["pause_collection"]
        fields["pause_collection"] = {"resumes_at": None, **paused} if paused else None
    fields |= _end(subscription, params, at) | _details(subscription, params)
    if params.get("items"):
        _change_items(subscription, params["items"], at=at, fields=fields)
    elif fields:
        change(subscription, at=at, **fields)
    if "trial_end" in params:
        _move_trial_end(subscription, params["trial_end"], at)


def trial_settings(params: Json) -> Json:
    """What is to become of the subscription when its trial ends without a payment method."""
    if "trial_settings" not in params:
        return {}
    behavior = {"billing_cycle_anchor": None, **params["trial_settings"]["end_behavior"]}
    return {"trial_settings": {"end_behavior": behavior}}


def _end(subscription: StoredObject, params: Json, at: int) -> Json:
    """Whether it is going to end, with its period or at another moment."""
    moment = params.get("cancel_at")
    if moment is not None and not isinstance(moment, int) and moment != "":
        raise StripeRefusal("The emulator knows moments in cancel_at only.", param="cancel_at")
    if moment:
        if moment <= at:
            raise StripeRefusal("Invalid timestamp: cancel_at must be in the future.", param="cancel_at")
        set_timer("subscription.cancel", subscription, at=moment)
        return cancelling(subscription.data, at=at, cancel=True, moment=moment)
    if moment == "" or "cancel_at_period_end" in params:
        drop_timer("subscription.cancel", subscription)
        wanted = bool(params.get("cancel_at_period_end"))
        if wanted or subscription.data["cancel_at"]:
            return cancelling(subscription.data, at=at, cancel=wanted)
    return {}


def _details(subscription: StoredObject, params: Json) -> Json:
    told = params.get("cancellation_details")
    return {"cancellation_details": {**subscription.data["cancellation_details"], **told}} if told else {}


def _change_items(subscription: StoredObject, given: list[Json], *, at: int, fields: dict[str, Any]) -> None:
    items = changed_items(subscription, given, at=at)
    is_other_interval = interval_of(items) != interval_of(subscription.data["items"]["data"])
    fields["items"] = items_of(subscription.stripe_id, items)
    if is_other_interval and subscription.data["status"] != "trialing":
        renewals.begin_anew(subscription, at=at, **fields)
    else:
        change(subscription, at=at, **fields)


def _move_trial_end(subscription: StoredObject, trial_end: int | str, at: int) -> None:
    """The trial ends now, or at another moment."""
    if trial_end != "now":
        period = {"current_period_end": trial_end}
        items = [{**item, **period} for item in subscription.data["items"]["data"]]
        moved = {"trial_end": trial_end, "billing_cycle_anchor": trial_end, "status": "trialing"}
        started = {"trial_start": subscription.data["trial_start"] or at}
        change(subscription, at=at, items=items_of(subscription.stripe_id, items), **moved, **started)
        wait_for_period_end(subscription, at=at)
    elif subscription.data["status"] == "trialing":
        emit("customer.subscription.trial_will_end", subscription, at=at)
        drop_timer("subscription.trial_will_end", subscription)
        renewals.end_trial_now(subscription, at=at)
