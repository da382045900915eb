"""The links of a chain, each judged by itself: account, payment, event, order, access, token, and /encours."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from modules_access.doctor.diagnosis import (
    ACCESS,
    Link,
    broken,
    comma_separated,
    fine,
    format_end,
    format_moment,
    not_needed,
)
from modules_access.entitlements import FOLLOWING_COLUMNS, Entitlement, differs, expected_columns
from modules_access.models import AccessToken, AccessType, ModuleAccess
from modules_access.services.grants import ACTS
from payments.billing.models import Subscription
from payments.billing.subscribers import access_until
from payments.ledger.models import PaymentEvent
from payments.money import format_amount
from payments.orders.models import Order
from payments.statuses import CLOSED_STATUSES, DisputeState, EventStatus, ExceptionKind, OrderStatus

ACCOUNT, PAYMENT, EVENT, ORDER, TOKEN, ENCOURS = "account", "payment", "event", "order", "token", "encours"
REPAIR_COMMAND = "manage.py modules_repair"
PAYMENT_EVENT_TYPES = (
    "checkout.session.completed", "checkout.session.async_payment_succeeded", "payment_intent.succeeded",
    "charge.succeeded",
)  # fmt: skip
# The worst first.
STUCK_STATUSES = (EventStatus.DEAD, EventStatus.HELD, EventStatus.FAILED, EventStatus.RECEIVED)


def account_link(user: User) -> Link:
    """Whether the person can sign in at all."""
    email = user.email
    facts: dict[str, Any] = {"user": user.pk, "is_active": user.is_active, "confirmed_at": user.email_confirmed_at}
    if not user.is_active:
        remedy = _("Make it active again on the person’s page, if it was closed by mistake.")
        sentence = _("The account %s is closed: nobody can sign in with it.") % email
        return broken(ACCOUNT, sentence, remedy=remedy, about=user, **facts)
    if user.is_sign_up_pending:
        remedy = _("Let them ask for a new link: “Create an account” with the same address.")
        sentence = _("%s started to create an account and never opened the link that was sent.") % email
        return broken(ACCOUNT, sentence, remedy=remedy, about=user, **facts)
    if user.email_confirmed_at is None:
        return fine(ACCOUNT, _("%s has an account; the address is not confirmed.") % email, about=user, **facts)
    return fine(ACCOUNT, _("%s has an account and a confirmed address.") % email, about=user, **facts)


def no_account_link(email: str, *, customers: Sequence[str]) -> Link:
    """Nobody has signed up with this address. `customers`: what Stripe calls those who have it."""
    sentence = _("Nobody here has the address %s.") % email
    if customers:
        sentence += " " + _("Stripe knows it as our customer %s.") % comma_separated(customers)
    remedy = _("Let them create an account with the address with which they paid: what is theirs joins it.")
    return broken(ACCOUNT, sentence, remedy=remedy, customers=list(customers))


def access_link(entitlement: Entitlement | None, row: ModuleAccess | None, *, source: str, at: datetime) -> Link:
    """Whether the row is there and says what its source says. `entitlement` None: a grant, its own source."""
    if row is None:
        if entitlement is None or not entitlement.gives_access:
            return not_needed(ACCESS, _("There is none, since nothing gives one."))
        remedy = _("Repair it: the access is made as it should have been.")
        return broken(
            ACCESS, _("There is no access, although %s gives one.") % source, remedy=remedy, command=REPAIR_COMMAND
        )  # fmt: skip
    facts = _access_facts(row)
    if entitlement and differs(entitlement, row, at=at):
        expected = expected_columns(entitlement, row, at=at)
        wrong = [name for name, value in expected.items() if value != getattr(row, name)]
        values = {"access": row.number, "source": source, "columns": _column_labels(wrong)}
        sentence = _("%(access)s does not say what %(source)s says (%(columns)s).") % values
        remedy = _("Repair it: the access then says what gives it.")
        return broken(ACCESS, sentence, remedy=remedy, command=REPAIR_COMMAND, about=row, **facts)
    if row.revoked_at:
        remedy = _("Give a new access in the admin, if that was wrong.")
        return broken(ACCESS, _revocation(row), remedy=remedy, about=row, **facts)
    if not row.is_active:
        values = {"access": row.number, "reason": row.get_ended_reason_display()}
        return fine(ACCESS, _("%(access)s has ended with what gave it: %(reason)s") % values, about=row, **facts)
    values = {"access": row.number, "until": format_end(row.expires_at)}
    # A token says itself that its time is over; a subscription's date moves with its payments.
    if row.expires_at and row.expires_at <= at and row.access_type in (AccessType.PURCHASE, AccessType.GRANT):
        remedy = _("Give a new access or extend this one in the admin, or let them buy it again.")
        return broken(ACCESS, _("%(access)s has run out (%(until)s).") % values, remedy=remedy, about=row, **facts)
    return fine(ACCESS, _("%(access)s is active (%(until)s).") % values, about=row, **facts)


def _column_labels(names: Iterable[str]) -> str:
    return comma_separated(getattr(ModuleAccess._meta.get_field(name), "verbose_name", name) for name in names)


def _access_facts(row: ModuleAccess) -> dict[str, Any]:
    columns = {name: getattr(row, name) for name in FOLLOWING_COLUMNS}
    return {"access": row.number, **columns, "revoked_at": row.revoked_at}


def _revocation(row: ModuleAccess) -> str:
    acts = [act for act in row.metadata.get(ACTS, []) if act["what"] == "revoked"]
    values = {"access": row.number, "moment": format_moment(row.revoked_at) if row.revoked_at else ""}
    if not acts:
        return _("%(access)s was taken back by staff (%(moment)s).") % values
    by_whom = {**values, "by": acts[-1]["by"], "reason": acts[-1]["reason"]}
    return _("%(access)s was taken back by %(by)s (%(moment)s): “%(reason)s”.") % by_whom


def token_link(token: AccessToken | None, *, at: datetime) -> Link:
    """Whether the token, if it takes one, is still good."""
    if token is None:
        return not_needed(TOKEN, _("It takes no token."))
    facts: dict[str, Any] = {"used": token.used, "max_usage": token.max_usage, "expires_at": token.expires_at}
    values = {"token": token.prefix, "used": token.used, "most": token.max_usage, "until": format_end(token.expires_at)}
    remedy = _("Make a new token, if they should go on.")
    if token.revoked_at:
        by_whom = {**values, "by": token.revoked_by, "reason": token.revoked_reason}
        sentence = _("The token %(token)s was revoked by %(by)s: “%(reason)s”.") % by_whom
    elif token.expires_at <= at:
        sentence = _("The token %(token)s has expired (%(until)s).") % values
    elif not token.uses_left:
        sentence = _("The token %(token)s is used up: %(used)d of %(most)d.") % values
    else:
        sentence = _("The token %(token)s is good (%(until)s): used %(used)d of %(most)d times.") % values
        return fine(TOKEN, sentence, about=token, **facts)
    return broken(TOKEN, sentence, remedy=remedy, about=token, **facts)


def encours_link(user: User, row: Any) -> Link:
    """What the person's page does with it. `row` brings `lets_in`, the page's own rule."""
    if row is not None and row.lets_in and row.user_id == user.pk and user.is_active:
        return fine(ENCOURS, _("/encours shows it and lets them in."), lets_in=True)
    remedy = _("It follows from what is broken above.")
    return broken(ENCOURS, _("/encours does not let them in."), remedy=remedy, lets_in=False)


def payment_of_order(purchase: Any, events: Sequence[PaymentEvent]) -> Link:
    """Whether Stripe has reported money for it, be the event processed or not."""
    order: Order = purchase.order
    if not order.amount:
        return not_needed(PAYMENT, _("It is free of charge."))
    facts = {"payments": purchase.payments, "questions": purchase.questions, "order": order.number}
    if purchase.questions and not order.has_money:
        kinds = dict(ExceptionKind.choices)
        questions = comma_separated(kinds[kind] for kind in purchase.questions)
        sentence = _("There is a question about the money: %s.") % questions
        return broken(PAYMENT, sentence, remedy=_("Decide it under “Exceptions” in the admin."), about=order, **facts)
    if purchase.payments:
        return fine(PAYMENT, _received_money(purchase.payments), about=order, **facts)
    if order.has_money or order.settled_at:
        return fine(PAYMENT, _("It is settled; no payment of its own is known."), about=order, **facts)
    if reports := [event for event in events if event.type in PAYMENT_EVENT_TYPES]:
        sentence = _("Stripe tells of a payment in %s.") % reports[0].stripe_event_id
        return fine(PAYMENT, sentence, about=reports[0], **facts)
    remedy = _("If they say that they have paid, ask Stripe. Otherwise they can pay it or buy it again.")
    command = f"manage.py resync order {order.number}"
    return broken(
        PAYMENT, _("Stripe has told us of no payment."), remedy=remedy, command=command, about=order, **facts
    )  # fmt: skip


def _received_money(payments: Sequence[dict[str, Any]]) -> str:
    received = comma_separated(format_amount(each["received"], each["currency"]) for each in payments)
    back = comma_separated(format_amount(each["refunded"], each["currency"]) for each in payments if each["refunded"])
    sentence = _("%(amount)s received (%(payments)s).") % {
        "amount": received, "payments": comma_separated(each["key"] for each in payments),
    }  # fmt: skip
    given_back = _("%s given back.") % back
    return f"{sentence} {given_back}" if back else sentence


def payment_of_subscription(row: Subscription, *, at: datetime) -> Link:
    """Whether it gives access now, by its state and its period."""
    end, values = access_until(row), {"subscription": row.stripe_id, "state": row.status_text}
    facts: dict[str, Any] = {
        "status": row.status, "access_until": end, "subscription": row.stripe_id, "pause": row.pause,
        "money_back": row.money_back,
    }  # fmt: skip
    if end and at < end:
        sentence = _("%(subscription)s (%(state)s) gives access (%(until)s).") % {**values, "until": format_end(end)}
        return fine(PAYMENT, sentence, about=row, **facts)
    if row.has_ended:
        sentence, remedy = _("%(subscription)s has ended (%(state)s)."), _("They can subscribe again.")
        return broken(PAYMENT, sentence % values, remedy=remedy, about=row, **facts)
    if row.money_back:
        values["reason"] = row.get_money_back_display()
        sentence = _("The money of the running period of %(subscription)s went back: %(reason)s.") % values
        remedy = _("Decide under “Exceptions” in the admin: cancel the subscription, or give the access back.")
        return broken(PAYMENT, sentence, remedy=remedy, about=row, **facts)
    if row.pause:
        sentence = _("%(subscription)s: payments are paused, and this period is not paid.") % values
        remedy = _("Let Stripe collect it again in its Dashboard, or give access in the admin.")
        return broken(PAYMENT, sentence, remedy=remedy, about=row, **facts)
    sentence = _("%(subscription)s (%(state)s) gives no access at the moment.") % values
    remedy = _("Ask Stripe whether it has been paid meanwhile; otherwise the person has to pay.")
    command = f"manage.py resync subscription {row.stripe_id}"
    return broken(PAYMENT, sentence, remedy=remedy, command=command, about=row, **facts)


def event_link(events: Sequence[PaymentEvent], *, is_fine: bool, is_known: bool, command: str) -> Link:
    """What became of Stripe's events. `is_fine`: none can be missing; `is_known`: their news is here already.

    `command` asks Stripe for what is not.
    """
    states = [{"event": row.stripe_event_id, "type": row.type, "state": row.status} for row in events]
    facts: dict[str, Any] = {"events": states}
    stuck = [row for row in events if row.status in STUCK_STATUSES]
    if stuck and not is_fine:
        worst = min(stuck, key=lambda row: STUCK_STATUSES.index(EventStatus(row.status)))
        return _stuck_event_link(worst, facts)
    if events:
        sentence = _("%(number)d events have come, the last one %(event)s (%(moment)s).") % {
            "number": len(events), "event": events[0].stripe_event_id, "moment": format_moment(events[0].received_at),
        }  # fmt: skip
        return fine(EVENT, sentence, about=events[0], **facts)
    if is_fine or is_known:
        return not_needed(EVENT, _("No event was needed: it was settled here, or Stripe was asked."))
    remedy = _("Ask Stripe about this one, or reconcile with Stripe if there are many.")
    return broken(EVENT, _("No event about it has arrived."), remedy=remedy, command=command, **facts)


def _stuck_event_link(row: PaymentEvent, facts: dict[str, Any]) -> Link:
    values = {
        "event": row.stripe_event_id, "number": row.attempts, "error": row.error,
        "moment": format_moment(row.received_at if row.status == EventStatus.RECEIVED else row.next_attempt_at),
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
    return broken(EVENT, sentence % values, remedy=remedy, command=command, about=row, **facts)


def needs_no_event(order: Order) -> bool:
    """Whether no event can be missing for what the order is: it was paid, be it given back since, or it is free."""
    return not order.amount or order.status in (OrderStatus.PAID, OrderStatus.REFUNDED)


def order_link(purchase: Any) -> Link:
    """What the order has come to, and what it buys."""
    order: Order = purchase.order
    values = {"order": order.number, "state": order.get_status_display(), "module": purchase.module}
    facts: dict[str, Any] = {"status": order.status, "dispute": order.dispute_state, "paid_at": order.paid_at}
    if order.has_money:
        sentence = _("%(order)s is paid and buys “%(module)s”.") % values
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
        can_pay = _("They can pay it under “My modules”, or staff can give access.")
        remedy = again if order.status in CLOSED_STATUSES else can_pay
    return broken(ORDER, sentence % values, remedy=remedy, command=command, about=order, **facts)
