"""How a subscription stands: its status follows what becomes of its invoices, until it ends.

https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses"""

from django.db.models import QuerySet

from stripe_emulator import store
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.timers import drop_timer, reacts_to

ENDED = ("canceled", "incomplete_expired")
TIMERS = ("subscription.renew", "subscription.trial_will_end", "subscription.give_up", "subscription.cancel")


def subscription_of(invoice: StoredObject) -> StoredObject | None:
    """The subscription that the invoice is for, locked; None if it is for none."""
    parent = invoice.data["parent"]
    if not parent:
        return None
    return store.get("subscription", parent["subscription_details"]["subscription"], lock=True)


def living(customer: StoredObject) -> QuerySet[StoredObject]:
    """The customer's subscriptions that have not ended."""
    return store.find("subscription", customer=customer.stripe_id).exclude(data__status__in=ENDED)


def _invoices_of(subscription: StoredObject) -> list[StoredObject]:
    """The newest first, drafts too, locked."""
    parent = {"subscription_details": {"subscription": subscription.stripe_id}}
    return list(store.find("invoice", parent=parent).select_for_update())


def _set_status(subscription: StoredObject, status: str, *, at: int) -> None:
    """Tell the new status, if it is another."""
    if previous := subscription.change(status=status):
        emit("customer.subscription.updated", subscription, at=at, previous=previous)


def _activate(subscription: StoredObject, *, at: int) -> None:
    drop_timer("subscription.give_up", subscription)
    _set_status(subscription, "active", at=at)


def after_payment(invoice: StoredObject, *, at: int) -> None:
    """Active again, if the newest of its invoices is the one that is paid now."""
    subscription = subscription_of(invoice)
    if subscription is None or subscription.data["status"] not in ("incomplete", "past_due", "unpaid"):
        return
    newest = next(each for each in _invoices_of(subscription) if each.data["status"] != "draft")
    if newest.stripe_id == invoice.stripe_id:
        _activate(subscription, at=at)


def after_processing(invoice: StoredObject, *, at: int) -> None:
    """A debit is under way: the subscription begins without waiting for it."""
    subscription = subscription_of(invoice)
    if subscription and subscription.data["status"] == "incomplete":
        _activate(subscription, at=at)


def after_failure(invoice: StoredObject, *, at: int, is_last: bool) -> None:
    """Past due until it is paid, over after the last try; a first invoice has time of its own."""
    subscription = subscription_of(invoice)
    if subscription is None or subscription.data["status"] in (*ENDED, "incomplete"):
        return
    _set_status(subscription, "past_due", at=at)
    if is_last:
        end(subscription, at=at, reason="payment_failed")


@reacts_to("subscription.cancel")
def end(subscription: StoredObject, *, at: int, reason: str = "", status: str = "canceled") -> None:
    """Nothing of it happens any more: no renewal, no further try. `reason` as `cancellation_details` tells it."""
    for kind in TIMERS:
        drop_timer(kind, subscription)
    for invoice in _invoices_of(subscription):
        if invoice.data["status"] in ("draft", "open"):
            stop_collecting(invoice)
    details = subscription.data["cancellation_details"] | ({"reason": reason} if reason else {})
    canceled_at = subscription.data["canceled_at"] or at
    previous = subscription.change(status=status, ended_at=at, canceled_at=canceled_at, cancellation_details=details)
    if status == "canceled":
        emit("customer.subscription.deleted", subscription, at=at)
    else:
        emit("customer.subscription.updated", subscription, at=at, previous=previous)


def stop_collecting(invoice: StoredObject) -> None:
    """The invoice stays what it is until somebody does something with it."""
    drop_timer("invoice.finalize", invoice)
    drop_timer("invoice.retry", invoice)
    invoice.change(auto_advance=False, automatically_finalizes_at=None, next_payment_attempt=None)


def after_void(invoice: StoredObject, *, at: int) -> None:
    """Without its first invoice a subscription never begins."""
    subscription = subscription_of(invoice)
    if subscription and subscription.data["status"] == "incomplete":
        end(subscription, at=at, status="incomplete_expired")
