"""A subscription goes from period to period by itself, and changes as an update asks for."""

from typing import Any

from django.db import transaction

from stripe_emulator import store
from stripe_emulator.behaviour import subscription_status
from stripe_emulator.behaviour.customers import default_method_id
from stripe_emulator.behaviour.invoice_collection import collect
from stripe_emulator.behaviour.invoice_lines import subscription_lines, wait_for_next, with_pending_items
from stripe_emulator.behaviour.invoices import create_draft, finalize, lock_invoice, void, with_balance
from stripe_emulator.behaviour.prorations import ItemsChange, items_change
from stripe_emulator.behaviour.subscription_items import moved_to_next_period, period_of
from stripe_emulator.behaviour.subscriptions import (
    cancellation_fields,
    change_subscription,
    draft_of,
    set_period_timers,
)
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.billing import SUBSCRIPTION_DEFAULTS, items_of
from stripe_emulator.timers import drop_timer, reacts_to, set_timer

COPIED_FIELDS = ("collection_method", "days_until_due", "default_payment_method", "description")


@reacts_to("subscription.renew")
def _renew(subscription: StoredObject, *, at: int) -> None:
    """The period is over: so is the subscription, or the next period begins."""
    customer = store.get("customer", subscription.data["customer"])
    if subscription.data["cancel_at_period_end"] or customer.is_deleted:
        subscription_status.end(subscription, at=at)
    elif subscription.data["status"] == "trialing":
        _end_trial(subscription, at=at)
    else:
        _start_next_period(subscription, at=at, reason="subscription_cycle")


@reacts_to("subscription.trial_will_end")
def _announce_trial_end(subscription: StoredObject, *, at: int) -> None:
    """Three days before it."""
    emit("customer.subscription.trial_will_end", subscription, at=at)


@reacts_to("subscription.give_up")
def _expire_incomplete(subscription: StoredObject, *, at: int) -> None:
    """The first invoice was not paid in time: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses"""
    void(lock_invoice(subscription.data["latest_invoice"])[0], at=at)


def resume(subscription: StoredObject, *, at: int) -> None:
    """A new period begins now, and is to be paid. Raises StripeRefusal unless it is paused."""
    if subscription.data["status"] != "paused":
        message = f"You can only resume a paused subscription; this one is {subscription.data['status']}."
        raise StripeRefusal(message, code="subscription_not_paused")
    subscription.change(status="active", status_details=SUBSCRIPTION_DEFAULTS["status_details"])
    emit("customer.subscription.resumed", subscription, at=at)
    _restart_period(subscription, at=at)


def update_subscription(subscription: StoredObject, params: Json, *, at: int) -> None:
    """All that the parameters ask for, told as one change. Other prices are prorated (behaviour/prorations.py). An
    interval of another length begins a new period now, which is billed at once; so does the end of a trial. Metadata,
    also of items, is what it is to be afterwards. Raises StripeRefusal.
    """
    fields: Json = {name: params[name] or None for name in COPIED_FIELDS if name in params}
    fields |= {"metadata": params["metadata"]} if "metadata" in params else {}
    fields |= trial_settings(params)
    if "pause_collection" in params:
        paused = params["pause_collection"]
        fields["pause_collection"] = {"resumes_at": None, **paused} if paused else None
    fields |= _cancellation(subscription, params, at)
    if details := params.get("cancellation_details"):
        fields["cancellation_details"] = {**subscription.data["cancellation_details"], **details}
    if params.get("items"):
        _change_items(subscription, items_change(subscription, params, at=at), at=at, fields=fields)
    elif fields:
        change_subscription(subscription, at=at, **fields)
    if "trial_end" in params:
        _move_trial_end(subscription, params["trial_end"], at)


def preview_update(subscription: StoredObject, params: Json, *, at: int) -> Json:
    """The invoice that such an update would bring, or without `items` the next one; nothing of it is kept.

    https://docs.stripe.com/api/invoices/create_preview Raises StripeRefusal.
    """
    with transaction.atomic():
        draft = _previewed(subscription, params, at)
        transaction.set_rollback(True)
    id = draft["id"].replace("in_", "upcoming_in_", 1)
    lines = [{**line, "invoice": id} for line in draft["lines"]["data"]]
    return {**draft, "id": id, "lines": {**draft["lines"], "data": lines}}


def _previewed(subscription: StoredObject, params: Json, at: int) -> Json:
    customer, data = store.get("customer", subscription.data["customer"]), {**subscription.data}
    change = items_change(subscription, params, at=at) if params.get("items") else None
    start = at if change and change.is_billed_now else period_of(data)[1]
    if change:
        data["items"] = items_of(data["id"], change.items)
    if change and change.restarts:
        data["billing_cycle_anchor"] = at
    if change is None or change.restarts or not change.is_billed_now:
        data["items"] = items_of(data["id"], moved_to_next_period(data, start=start))
        lines = [*(change.lines if change else []), *subscription_lines(data)]
    else:
        lines = change.lines
    reason = "subscription_update" if change and change.is_billed_now else "upcoming"
    draft = draft_of(data, customer, at=start, reason=reason, period_start=period_of(subscription.data)[0], lines=lines)
    if change and change.lines:
        draft["parent"] = _prorated(draft["parent"], change)
    return with_balance(with_pending_items(draft), customer.data["balance"])


def _prorated(parent: Json, change: ItemsChange) -> Json:
    """The invoice's `parent` with the second from which it counts."""
    return {
        **parent,
        "subscription_details": {**parent["subscription_details"], "subscription_proration_date": change.date},
    }


def trial_settings(params: Json) -> Json:
    """What is to become of the subscription when its trial ends without a payment method."""
    if "trial_settings" not in params:
        return {}
    behavior = {"billing_cycle_anchor": None, **params["trial_settings"]["end_behavior"]}
    return {"trial_settings": {"end_behavior": behavior}}


def _end_trial(subscription: StoredObject, *, at: int) -> StoredObject | None:
    """The first period that costs something begins with its draft, which is returned.

    With nothing to pay with, the subscription may have foreseen to be paused or cancelled instead.
    """
    customer = store.get("customer", subscription.data["customer"])
    behavior = subscription.data["trial_settings"]["end_behavior"]["missing_payment_method"]
    has_method = bool(subscription.data["default_payment_method"] or default_method_id(customer))
    if has_method or behavior == "create_invoice":
        anchored: Json = {"billing_cycle_anchor": at, "trial_end": at, "status": "active"}
        return _start_next_period(subscription, at=at, reason="subscription_cycle", **anchored)
    if behavior == "pause":
        _pause(subscription, at=at)
    else:
        subscription_status.end(subscription, at=at)
    return None


def _restart_period(
    subscription: StoredObject, *, at: int, prorations: list[Json] | None = None, **fields: object
) -> None:
    """A new period from now on, with this change; its invoice is tried at once."""
    changed = {"billing_cycle_anchor": at, **fields}
    invoice = _start_next_period(
        subscription, at=at, reason="subscription_update", prorations=prorations or [], **changed
    )
    _collect_now(invoice, subscription, at=at)


def _collect_now(invoice: StoredObject, subscription: StoredObject, *, at: int) -> None:
    """Finalize the draft without waiting, and try it; the subscription is as that has left it."""
    finalize(invoice, at=at)
    collect(invoice, at=at)
    subscription.refresh_from_db()


def _pause(subscription: StoredObject, *, at: int) -> None:
    """Nothing to pay with at the end of the trial: no period and no invoice until it is resumed."""
    for kind in subscription_status.TIMERS:
        drop_timer(kind, subscription)
    why = {"type": "trial_end_without_payment_method"}
    details = {"paused": {"subscription": why, "transitioned_at": at, "type": "subscription"}}
    subscription.change(status="paused", status_details=details, trial_end=at)
    emit("customer.subscription.paused", subscription, at=at)


def _start_next_period(
    subscription: StoredObject, *, at: int, reason: str, prorations: list[Json] | None = None, **fields: object
) -> StoredObject:
    """The next period begins with its draft, which is returned."""
    customer = store.get("customer", subscription.data["customer"])
    ended_start, _ = period_of(subscription.data)
    data = {**subscription.data, **_resumed_collection(subscription, at), **fields}
    data["items"] = items_of(data["id"], moved_to_next_period(data, start=at))
    is_trial = data["trial_end"] is not None and data["trial_end"] > at
    lines = [*(prorations or []), *subscription_lines(data, is_trial=is_trial)]
    told = draft_of(data, customer, at=at, reason=reason, period_start=ended_start, lines=lines)
    draft = with_pending_items(told)
    data["latest_invoice"] = draft["id"]
    paused = data["pause_collection"]
    if paused and paused["behavior"] == "keep_as_draft":
        draft["auto_advance"] = False
    previous = subscription.change(**data)
    emit("customer.subscription.updated", subscription, at=at, previous=previous)
    set_period_timers(subscription, at=at)
    return create_draft(draft, at=at, parent=subscription)


def _resumed_collection(subscription: StoredObject, at: int) -> Json:
    """Whether a pause of the collection is over."""
    paused = subscription.data["pause_collection"]
    resumes_at = paused["resumes_at"] if paused else None
    return {"pause_collection": None} if resumes_at is not None and resumes_at <= at else {}


def _cancellation(subscription: StoredObject, params: Json, at: int) -> Json:
    """Whether it is going to end, with its period or at another moment."""
    moment = params.get("cancel_at")
    if moment is not None and not isinstance(moment, int) and moment != "":
        raise StripeRefusal("The emulator knows moments in cancel_at only.", param="cancel_at")
    if moment:
        if moment <= at:
            raise StripeRefusal("Invalid timestamp: cancel_at must be in the future.", param="cancel_at")
        set_timer("subscription.cancel", subscription, at=moment)
        return cancellation_fields(subscription.data, at=at, cancel=True, moment=moment)
    if moment == "" or "cancel_at_period_end" in params:
        drop_timer("subscription.cancel", subscription)
        wanted = bool(params.get("cancel_at_period_end"))
        if wanted or subscription.data["cancel_at"]:
            return cancellation_fields(subscription.data, at=at, cancel=wanted)
    return {}


def _change_items(subscription: StoredObject, change: ItemsChange, *, at: int, fields: dict[str, Any]) -> None:
    fields["items"] = items_of(subscription.stripe_id, change.items)
    if change.restarts:
        _restart_period(subscription, at=at, prorations=change.lines, **fields)
    elif change.is_billed_now:
        _bill_prorations(subscription, change, at=at, fields=fields)
    else:
        change_subscription(subscription, at=at, **fields)
        wait_for_next(change.lines, customer=subscription.data["customer"], at=at)


def _bill_prorations(subscription: StoredObject, change: ItemsChange, *, at: int, fields: dict[str, Any]) -> None:
    """The change with an invoice of what it costs for the rest of the period, which is tried at once."""
    customer, data = store.get("customer", subscription.data["customer"]), {**subscription.data, **fields}
    period_start = period_of(subscription.data)[0]
    told = draft_of(data, customer, at=at, reason="subscription_update", period_start=period_start, lines=change.lines)
    draft = with_pending_items({**told, "parent": _prorated(told["parent"], change)})
    change_subscription(subscription, at=at, **fields, latest_invoice=draft["id"])
    _collect_now(create_draft(draft, at=at, parent=subscription), subscription, at=at)


def _move_trial_end(subscription: StoredObject, trial_end: int | str, at: int) -> None:
    """The trial ends now, or at another moment."""
    if trial_end != "now":
        items = [{**item, "current_period_end": trial_end} for item in subscription.data["items"]["data"]]
        moved = {"trial_end": trial_end, "billing_cycle_anchor": trial_end, "status": "trialing"}
        started = {"trial_start": subscription.data["trial_start"] or at}
        change_subscription(subscription, at=at, items=items_of(subscription.stripe_id, items), **moved, **started)
        set_period_timers(subscription, at=at)
    elif subscription.data["status"] == "trialing":
        emit("customer.subscription.trial_will_end", subscription, at=at)
        drop_timer("subscription.trial_will_end", subscription)
        if invoice := _end_trial(subscription, at=at):
            _collect_now(invoice, subscription, at=at)
