"""A subscription begins, is changed and is cancelled: https://docs.stripe.com/billing/subscriptions/overview"""

from typing import Any

from stripe_emulator import store
from stripe_emulator.behaviour import subscription_items, subscription_status
from stripe_emulator.behaviour.customers import default_method_id
from stripe_emulator.behaviour.invoice_lines import create_priced_item, subscription_lines, with_pending_items
from stripe_emulator.behaviour.invoices import create_draft, finalize, pay_invoice
from stripe_emulator.behaviour.subscription_items import DAY, PricedQuantity, period_of
from stripe_emulator.errors import CardDeclined, Json, NoSuchObject, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.billing import items_of, new_invoice, new_subscription, parent_of
from stripe_emulator.timers import drop_timer, set_timer

SECONDS_FOR_FIRST_PAYMENT, SECONDS_OF_TRIAL_WARNING = 23 * 3600, 3 * DAY


def create_subscription(
    *,
    customer: StoredObject,
    items: list[Json],
    at: int,
    parent: StoredObject | None = None,
    metadata: Json | None = None,
    intent: StoredObject | None = None,
    default_payment_method: str = "",
    trial_end: int | None = None,
    payment_behavior: str = "allow_incomplete",
    **fields: Any,
) -> StoredObject:
    """A subscription with its first invoice, which `intent` has paid or is paying; without one it is tried now.

    `items`: rows `{"price": id, "quantity": n}`; prices that are paid once go to the first invoice. A refused card
    leaves it incomplete. Raises StripeRefusal, also for a refused card if `payment_behavior` is error_if_incomplete.
    """
    rows = subscription_items.read_items(items, at=at)
    once = [row for row in rows if not row.price["recurring"]]
    for row in once:
        create_priced_item(row.price, row.quantity, customer=customer.stripe_id, at=at)
    known = {"customer": customer.stripe_id, "metadata": metadata or {}, **fields}
    data = _new_subscription([row for row in rows if row not in once], at=at, trial_end=trial_end, **known)
    data["default_payment_method"] = default_payment_method or None
    draft = with_pending_items(draft_of(data, customer, at=at, reason="subscription_create"))
    is_tried = draft["amount_due"] > 0 and intent is None and data["collection_method"] == "charge_automatically"
    has_method = bool(default_payment_method or default_method_id(customer))
    if is_tried and not has_method and payment_behavior != "default_incomplete":
        message = "This customer has no attached payment source or default payment method: consider adding one."
        raise StripeRefusal(message, code="resource_missing")
    data["latest_invoice"] = draft["id"]
    data["status"] = "trialing" if trial_end else "incomplete" if is_tried else "active"
    subscription = store.keep(data, parent=parent)
    emit("customer.subscription.created", subscription, at=at)
    set_period_timers(subscription, at=at)
    _bill_first(subscription, draft, at=at, intent=intent, payment_behavior=payment_behavior)
    subscription.refresh_from_db()
    return subscription


def draft_of(
    data: Json,
    customer: StoredObject,
    *,
    at: int,
    reason: str,
    period_start: int | None = None,
    lines: list[Json] | None = None,
) -> Json:
    """The draft of an invoice for the period that the subscription's items are in, or of these `lines`.

    The invoice's own period is the one that has just ended: https://docs.stripe.com/api/invoices/object#invoice_object-period_end
    """
    return new_invoice(
        at,
        customer=customer.data,
        lines=subscription_lines(data, is_trial=_is_trial(data, at)) if lines is None else lines,
        currency=data["currency"],
        parent=parent_of(data),
        auto_advance=True,
        billing_reason=reason,
        collection_method=data["collection_method"],
        description=data["description"],
        due_date=at + data["days_until_due"] * DAY if data["days_until_due"] else None,
        period_start=at if period_start is None else period_start,
    )


def _is_trial(data: Json, at: int) -> bool:
    return data["trial_end"] is not None and data["trial_end"] > at


def set_period_timers(subscription: StoredObject, *, at: int) -> None:
    """Set the timers of the current period; a trial that is about to end is told."""
    set_timer("subscription.renew", subscription, at=period_of(subscription.data)[1])
    trial_end = subscription.data["trial_end"]
    if trial_end is None or trial_end <= at:
        drop_timer("subscription.trial_will_end", subscription)
    elif trial_end - SECONDS_OF_TRIAL_WARNING > at:
        set_timer("subscription.trial_will_end", subscription, at=trial_end - SECONDS_OF_TRIAL_WARNING)
    else:
        emit("customer.subscription.trial_will_end", subscription, at=at)


def cancel_now(subscription: StoredObject, *, at: int, **details: str) -> None:
    """It ends at once; what is paid stays paid. `details` such as `comment`. Raises StripeRefusal if it has ended."""
    if subscription.data["status"] in subscription_status.ENDED:
        raise NoSuchObject("subscription", subscription.stripe_id)
    subscription.change(cancellation_details={**subscription.data["cancellation_details"], **details})
    subscription_status.end(subscription, at=at, reason="cancellation_requested")


def cancel_all(customer: StoredObject, *, at: int) -> None:
    """Nobody is left to pay: https://docs.stripe.com/api/customers/delete"""
    for subscription in subscription_status.living(customer).select_for_update():
        cancel_now(subscription, at=at)


def cancel_at_period_end(subscription: StoredObject, *, at: int, cancel: bool = True) -> None:
    """It ends with the current period, or (`cancel` False) goes on after all. Raises StripeRefusal if it has ended."""
    change_subscription(subscription, at=at, **cancellation_fields(subscription.data, at=at, cancel=cancel))


def cancellation_fields(data: Json, *, at: int, cancel: bool, moment: int | None = None) -> Json:
    """What changes when it is going to end with its period, or at another moment."""
    details = data["cancellation_details"]
    if not cancel:
        kept = {"cancel_at": None, "cancel_at_period_end": False, "canceled_at": None}
        return {**kept, "cancellation_details": {**details, "reason": None}}
    return {
        "cancel_at": moment or period_of(data)[1],
        "cancel_at_period_end": moment is None,
        "canceled_at": at,
        "cancellation_details": {**details, "reason": "cancellation_requested"},
    }


def change_subscription(subscription: StoredObject, *, at: int, **fields: Any) -> None:
    """Change these fields and tell it. Raises StripeRefusal if it has ended: then only metadata may change."""
    is_over = subscription.data["status"] in subscription_status.ENDED
    if is_over and set(fields) - {"metadata", "cancellation_details"}:
        raise StripeRefusal("A canceled subscription can only update its cancellation_details and metadata.")
    if previous := subscription.change(**fields):
        emit("customer.subscription.updated", subscription, at=at, previous=previous)


def _new_subscription(rows: list[PricedQuantity], *, at: int, trial_end: int | None, **fields: Any) -> Json:
    """The subscription with its items; a trial is its first period, and the anchor its end."""
    recurring = subscription_items.common_recurring(rows) if rows else None
    if recurring is None:
        raise StripeRefusal("A subscription needs a recurring price: this one is paid once.", param="items[0][price]")
    data = new_subscription(at, currency=rows[0].price["currency"], **fields)
    end = trial_end or subscription_items.period_end(at, recurring, start=at)
    items = subscription_items.create_items(rows, subscription_id=data["id"], at=at, end=end)
    data["items"] = items_of(data["id"], items)
    if trial_end:
        data |= {"trial_start": at, "trial_end": trial_end, "billing_cycle_anchor": trial_end}
    return data


def _bill_first(
    subscription: StoredObject, draft: Json, *, at: int, intent: StoredObject | None, payment_behavior: str
) -> None:
    """The first invoice does not wait, unless it is sent."""
    is_sent = subscription.data["collection_method"] == "send_invoice" and draft["amount_due"] > 0 and intent is None
    invoice = create_draft(draft, at=at, parent=subscription, waits=is_sent)
    if is_sent:
        return
    finalize(invoice, at=at, intent=intent)
    if intent or invoice.data["status"] != "open":
        return
    set_timer("subscription.give_up", subscription, at=at + SECONDS_FOR_FIRST_PAYMENT)
    if payment_behavior == "default_incomplete":
        return
    try:
        pay_invoice(invoice, at=at)
    except CardDeclined as decline:
        if payment_behavior == "error_if_incomplete":
            raise StripeRefusal(decline.message, code=decline.code, status=402, type="card_error") from decline
