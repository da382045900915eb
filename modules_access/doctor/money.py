"""The links of the money: what Stripe told, how its events fared, and what the order came to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from modules_access.doctor.links import Link, broken, fine, listed, moment, not_needed, until
from payments.billing.models import Subscription
from payments.billing.subscribers import access_until
from payments.ledger.models import PaymentEvent
from payments.money import format_amount
from payments.orders.models import Order
from payments.statuses import DisputeState, EventStatus, ExceptionKind, OrderStatus

PAYMENT, EVENT, ORDER = "payment", "event", "order"
TELLS_OF_MONEY = (
    "checkout.session.completed", "checkout.session.async_payment_succeeded", "payment_intent.succeeded",
    "charge.succeeded",
)  # fmt: skip
# The worst first.
OPEN = (EventStatus.DEAD, EventStatus.HELD, EventStatus.FAILED, EventStatus.RECEIVED)
CLOSED = (OrderStatus.EXPIRED, OrderStatus.CANCELED)


def payment_of_order(purchase: Any, events: Sequence[PaymentEvent]) -> Link:
    """What Stripe told of its money, be it processed or not."""
    order: Order = purchase.order
    if not order.amount:
        return not_needed(PAYMENT, _("It is free of charge."))
    facts = {"payments": purchase.payments, "questions": purchase.questions, "order": order.number}
    if purchase.questions and not order.has_money:
        kinds = dict(ExceptionKind.choices)
        sentence = _("There is a question about the money: %s.") % listed(kinds[kind] for kind in purchase.questions)
        return broken(PAYMENT, sentence, remedy=_("Decide it under “Exceptions” in the admin."), about=order, **facts)
    if purchase.payments:
        return fine(PAYMENT, _received(purchase.payments), about=order, **facts)
    if order.has_money or order.settled_at:
        return fine(PAYMENT, _("It is settled; no payment of its own is known."), about=order, **facts)
    if told := [event for event in events if event.type in TELLS_OF_MONEY]:
        return fine(PAYMENT, _("Stripe tells of a payment in %s.") % told[0].stripe_event_id, about=told[0], **facts)
    remedy = _("If they say that they have paid, ask Stripe. Otherwise they can pay it or buy it again.")
    command = f"manage.py resync order {order.number}"
    return broken(
        PAYMENT, _("Stripe has told us of no payment."), remedy=remedy, command=command, about=order, **facts
    )  # fmt: skip


def _received(payments: Sequence[dict[str, Any]]) -> str:
    told = listed(format_amount(each["received"], each["currency"]) for each in payments)
    back = listed(format_amount(each["refunded"], each["currency"]) for each in payments if each["refunded"])
    received = _("%(amount)s received (%(payments)s).") % {
        "amount": told, "payments": listed(each["key"] for each in payments),
    }  # fmt: skip
    return f"{received} {_('%s given back.') % back}" if back else received


def payment_of_subscription(row: Subscription, *, at: datetime) -> Link:
    """Whether it gives access now, by its state and its period."""
    end, told = access_until(row), {"subscription": row.stripe_id, "state": row.status_text}
    facts: dict[str, Any] = {"status": row.status, "access_until": end, "subscription": row.stripe_id}
    if end and at < end:
        sentence = _("%(subscription)s (%(state)s) gives access (%(until)s).") % {**told, "until": until(end)}
        return fine(PAYMENT, sentence, about=row, **facts)
    if row.has_ended:
        sentence, remedy = _("%(subscription)s has ended (%(state)s)."), _("They can subscribe again.")
        return broken(PAYMENT, sentence % told, remedy=remedy, about=row, **facts)
    sentence = _("%(subscription)s (%(state)s) gives no access at the moment.") % told
    remedy = _("Ask Stripe whether it has been paid meanwhile; otherwise the person has to pay.")
    command = f"manage.py resync subscription {row.stripe_id}"
    return broken(PAYMENT, sentence, remedy=remedy, command=command, about=row, **facts)


def event_link(events: Sequence[PaymentEvent], *, is_fine: bool, is_told: bool, command: str) -> Link:
    """What became of Stripe's events. `is_fine`: they have come through; `is_told`: what they tell is known here.

    `command` asks Stripe for what is not.
    """
    told = [{"event": row.stripe_event_id, "type": row.type, "state": row.status} for row in events]
    facts: dict[str, Any] = {"events": told}
    stuck = sorted((row for row in events if row.status in OPEN), key=lambda row: OPEN.index(EventStatus(row.status)))
    if stuck and not is_fine:
        return _stuck(stuck[0], facts)
    if events:
        sentence = _("%(number)d events have come, the last one %(event)s (%(moment)s).") % {
            "number": len(events), "event": events[0].stripe_event_id, "moment": moment(events[0].received_at),
        }  # fmt: skip
        return fine(EVENT, sentence, about=events[0], **facts)
    if is_fine or is_told:
        return not_needed(EVENT, _("No event was needed: it was settled here, or Stripe was asked."))
    remedy = _("Ask Stripe about this one, or reconcile with Stripe if there are many.")
    return broken(EVENT, _("No event about it has arrived."), remedy=remedy, command=command, **facts)


def _stuck(row: PaymentEvent, facts: dict[str, Any]) -> Link:
    told = {
        "event": row.stripe_event_id, "number": row.attempts, "error": row.error,
        "moment": moment(row.received_at if row.status == EventStatus.RECEIVED else row.next_attempt_at),
    }  # fmt: skip
    replay = _("Remove the cause, then replay the event on its page.")
    match row.status:
        case EventStatus.DEAD:
            sentence, remedy = _("%(event)s was given up after %(number)d attempts: %(error)s"), replay
        case EventStatus.HELD:
            sentence, remedy = _("%(event)s is held back."), _("Let its type go under “Held event types” in the admin.")
        case EventStatus.FAILED:
            sentence = _("%(event)s has failed %(number)d times (%(error)s); it is tried again (%(moment)s).")
            remedy = replay
        case _other:
            sentence = _("%(event)s is waiting to be processed (since %(moment)s).")
            remedy = _("Check that the worker runs, or process by hand what waits.")
    command = "manage.py drain" if row.status == EventStatus.RECEIVED else ""
    return broken(EVENT, sentence % told, remedy=remedy, command=command, about=row, **facts)


def has_come_through(order: Order) -> bool:
    """Whether no event can be missing for what the order is: it was paid, be it given back since, or it is free."""
    return not order.amount or order.status in (OrderStatus.PAID, OrderStatus.REFUNDED)


def order_link(purchase: Any) -> Link:
    """What the order has come to, and what it buys."""
    order: Order = purchase.order
    told = {"order": order.number, "state": order.get_status_display(), "module": purchase.module}
    facts: dict[str, Any] = {"status": order.status, "dispute": order.dispute_state, "paid_at": order.paid_at}
    if order.has_money:
        sentence = _("%(order)s is paid and buys “%(module)s”.") % told
        if order.dispute_state == DisputeState.OPEN:
            sentence += " " + _("It is disputed; that takes nothing away unless it is lost.")
        return fine(ORDER, sentence, about=order, **facts)
    again = _("There is nothing to repair: they can buy it again, or staff can give access.")
    command = ""
    if order.status == OrderStatus.REFUNDED:
        sentence, remedy = _("%(order)s was refunded, and what it bought has ended."), again
    elif order.dispute_state == DisputeState.LOST:
        sentence, remedy = _("The dispute about %(order)s is lost, and what it bought has ended."), again
    elif purchase.payments:
        sentence, remedy = _("Money of %(order)s is here, but it does not count as paid."), _("Compare it with Stripe.")
        command = f"manage.py resync order {order.number}"
    else:
        sentence = _("%(order)s is not paid: %(state)s.")
        remedy = again if order.status in CLOSED else _("They can pay it under “My modules”, or staff can give access.")
    return broken(ORDER, sentence % told, remedy=remedy, command=command, about=order, **facts)
