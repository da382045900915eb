"""A subscription goes from period to period by itself: https://docs.stripe.com/billing/subscriptions/billing-cycle"""

from stripe_emulator import store
from stripe_emulator.errors import StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.life import standing
from stripe_emulator.life.collecting import collect
from stripe_emulator.life.invoice_lines import take_waiting
from stripe_emulator.life.invoice_methods import customers_choice
from stripe_emulator.life.invoices import begin, finalize, hold, void
from stripe_emulator.life.subscription_items import in_next_period, period_of
from stripe_emulator.life.subscriptions import draft_of, wait_for_period_end
from stripe_emulator.models import Json, StoredObject
from stripe_emulator.shapes.subscription import USUAL, items_of
from stripe_emulator.timers import drop_timer, reacts_to


@reacts_to("subscription.renew")
def renew(subscription: StoredObject, at: int) -> None:
    """The period is over: so is the subscription, or the next period begins."""
    customer = store.get("customer", subscription.data["customer"])
    if subscription.data["cancel_at_period_end"] or customer.is_deleted:
        standing.end(subscription, at=at)
    elif subscription.data["status"] == "trialing":
        end_trial(subscription, at=at)
    else:
        _go_on(subscription, at=at, reason="subscription_cycle")


@reacts_to("subscription.cancel")
def cancel_as_planned(subscription: StoredObject, at: int) -> None:
    """The moment in `cancel_at` has come."""
    standing.end(subscription, at=at)


@reacts_to("subscription.trial_will_end")
def announce_trial_end(subscription: StoredObject, at: int) -> None:
    """Three days before it."""
    emit("customer.subscription.trial_will_end", subscription, at=at)


@reacts_to("subscription.give_up")
def give_up(subscription: StoredObject, at: int) -> None:
    """The first invoice was not paid in time: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses"""
    void(hold(subscription.data["latest_invoice"]), at=at)


def end_trial_now(subscription: StoredObject, *, at: int) -> None:
    """Somebody ends it early: the first period is billed at once."""
    if invoice := end_trial(subscription, at=at):
        collect_now(invoice, at=at)
        subscription.refresh_from_db()


def end_trial(subscription: StoredObject, *, at: int) -> StoredObject | None:
    """The first period that costs something begins with its draft, which is returned.

    With nothing to pay with, the subscription may have foreseen to be paused or cancelled instead.
    """
    customer = store.get("customer", subscription.data["customer"])
    behavior = subscription.data["trial_settings"]["end_behavior"]["missing_payment_method"]
    has_method = bool(subscription.data["default_payment_method"] or customers_choice(customer))
    if has_method or behavior == "create_invoice":
        anchored: Json = {"billing_cycle_anchor": at, "trial_end": at, "status": "active"}
        return _go_on(subscription, at=at, reason="subscription_cycle", **anchored)
    if behavior == "pause":
        _pause(subscription, at=at)
    else:
        standing.end(subscription, at=at)
    return None


def begin_anew(subscription: StoredObject, *, at: int, **fields: object) -> None:
    """A new period from now on, with this change; its invoice is tried at once."""
    changed = {"billing_cycle_anchor": at, **fields}
    collect_now(_go_on(subscription, at=at, reason="subscription_update", **changed), at=at)
    subscription.refresh_from_db()


def collect_now(invoice: StoredObject, *, at: int) -> None:
    """Finalize the draft without waiting, and try it."""
    finalize(invoice, at=at)
    collect(invoice, at=at)


def _pause(subscription: StoredObject, *, at: int) -> None:
    """Nothing to pay with at the end of the trial: no period and no invoice until it is resumed."""
    for kind in standing.TIMERS:
        drop_timer(kind, subscription)
    why = {"type": "trial_end_without_payment_method"}
    details = {"paused": {"subscription": why, "transitioned_at": at, "type": "subscription"}}
    subscription.change(status="paused", status_details=details, trial_end=at)
    emit("customer.subscription.paused", subscription, at=at)


def resume(subscription: StoredObject, *, at: int) -> None:
    """A new period begins now, and is to be paid. Raises StripeRefusal unless it is paused."""
    if subscription.data["status"] != "paused":
        message = f"You can only resume a paused subscription; this one is {subscription.data['status']}."
        raise StripeRefusal(message, code="subscription_not_paused")
    subscription.change(status="active", status_details=USUAL["status_details"])
    emit("customer.subscription.resumed", subscription, at=at)
    begin_anew(subscription, at=at)


def _go_on(subscription: StoredObject, *, at: int, reason: str, **fields: object) -> StoredObject:
    """The next period begins with its draft, which is returned."""
    customer = store.get("customer", subscription.data["customer"])
    ended_start, _ = period_of(subscription.data)
    data = {**subscription.data, **_collecting_again(subscription, at), **fields}
    anchor = data["billing_cycle_anchor"]
    data["items"] = items_of(data["id"], in_next_period(data, anchor=anchor, start=at))
    draft = take_waiting(draft_of(data, customer, at=at, reason=reason, period_start=ended_start))
    data["latest_invoice"] = draft["id"]
    paused = data["pause_collection"]
    if paused and paused["behavior"] == "keep_as_draft":
        draft["auto_advance"] = False
    previous = subscription.change(**data)
    emit("customer.subscription.updated", subscription, at=at, previous=previous)
    wait_for_period_end(subscription, at=at)
    return begin(draft, at=at, parent=subscription)


def _collecting_again(subscription: StoredObject, at: int) -> Json:
    """Whether a pause of the collection is over."""
    paused = subscription.data["pause_collection"]
    resumes_at = paused["resumes_at"] if paused else None
    return {"pause_collection": None} if resumes_at is not None and resumes_at <= at else {}
