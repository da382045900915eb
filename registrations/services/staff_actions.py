"""What staff decide about a registration, with a reason: its place is freed, its message is sent again."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django.utils.translation import gettext as _

from accounts.fields import normal_address
from accounts.models import User
from payments.apply.apply import follow_orders_again
from payments.cleanup.cleanup import Verdict, clean_up_order
from payments.cleanup.closing import close_order
from payments.effects.deliver import RESENT
from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.models import Effect
from payments.orders.models import CheckoutAttempt, Order, OrderChange
from payments.statuses import AWAITING_PAYMENT, EffectStatus, OrderStatus
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from registrations.invitations import confirmation_message
from registrations.mails import called_off_message, message_for, offer_message
from registrations.models import Registration, WaitingEntry

log = structlog.get_logger(__name__)
# What the history of an order calls these acts.
PLACE_FREED = "freed"
MESSAGE_RESENT = "message"
ADDRESS_CORRECTED = "address"
HISTORY_TEXT_MAX_LENGTH = 255
UNSENT = (EffectStatus.PENDING, EffectStatus.CLAIMED)


class PlaceNotFreed(ValueError):
    """The place stays taken, for now or until the money has gone back; the text says why."""


class NotResent(ValueError):
    """Nothing is sent; the text says why."""


class AddressNotCorrected(ValueError):
    """The address stays as it was; the text says why."""


def free_place(*, registration: Registration, reason: str, by: Any, at: datetime) -> None:
    """Free the place of a registration for which no money is here; the row stays as evidence.

    Who waits for payment: the order is closed, and only money brings the person back, as with any late payment. Stripe
    is asked to end an open payment page first, so not to be called inside a transaction. Who was confirmed in a free
    activity: the place is given up for good, the order stays as it is, and they may register again.

    Paid ones are refused: a place follows its money, so the next look at the order would seat them again. Refund
    first, then the place goes by itself. Raises PlaceNotFreed; where Stripe does not answer, the clean-up frees the
    place as soon as it does.
    """
    if not reason.strip():
        raise PlaceNotFreed(_("Freeing a place needs a reason."))
    if _end_waiting(registration, reason=reason.strip(), by=by, at=at):
        _close(registration, by=by, at=at)
    registration.refresh_from_db()
    if registration.holds_place:
        raise PlaceNotFreed(_("A payment has come, or is about to: the place is still taken."))
    log.info("place.freed", registration=str(registration.public_id), by=str(by))


@transaction.atomic
def resend_message(*, registration: Registration, reason: str, by: Any, at: datetime) -> None:
    """Send the mail of the present state once more, under a new key, with the reason and the person.

    Raises NotResent where there is nothing to tell, or while that mail is on its way: so a double click sends one.
    """
    if not reason.strip():
        raise NotResent(_("Sending a message again needs a reason."))
    order = Order.objects.select_for_update(no_key=True).get(pk=registration.order_id)
    row = Registration.objects.select_related("activity").get(pk=registration.pk)
    row.order = order
    message = present_message(row)
    if message is None:
        raise NotResent(_("There is nothing to tell about order %s at the moment.") % order.number)
    again = _once_more(message, order, reason=reason.strip(), by=by)
    enqueue([again], at=at)
    record_staff_action(MESSAGE_RESENT, order_ids=[order.pk], reason=reason.strip(), by=by, at=at)
    log.info("message.resent", effect=again.key, order=order.pk, by=str(by))


@transaction.atomic
def correct_address(*, registration: Registration, email: str, reason: str, by: Any, at: datetime) -> None:
    """Write to the person under another address from now on; what was not delivered can be sent again.

    Raises AddressNotCorrected where it is theirs already, or where it would make two of one person.
    """
    if not reason.strip():
        raise AddressNotCorrected(_("Correcting an address needs a reason."))
    order = Order.objects.select_for_update(no_key=True).get(pk=registration.order_id)
    row = Registration.objects.select_for_update(no_key=True).get(pk=registration.pk)
    before, row.email = row.email, normal_address(email)
    if row.email == before:
        raise AddressNotCorrected(_("This is the address that is known already."))
    if Registration.objects.exclude(pk=row.pk).filter(
        Exact(Lower("name"), Lower(Value(row.name))), activity=row.activity_id, email=row.email, holds_place=True
    ).exists():  # fmt: skip
        raise AddressNotCorrected(_("Somebody of this name and address has a place there already."))
    row.user = row.user or User.objects.find_confirmed(row.email)
    row.save(update_fields=["email", "user"])
    Order.objects.filter(pk=order.pk).update(email=row.email)
    record_staff_action(ADDRESS_CORRECTED, order_ids=[order.pk], reason=reason.strip(), by=by, at=at)
    OrderChange.objects.create(
        order=order, field="email", before=before, after=row.email, occurred_at=at, learned_at=at,
        source=str(by)[:HISTORY_TEXT_MAX_LENGTH],
    )  # fmt: skip
    log.info("registration.address_corrected", registration=str(row.public_id), order=order.pk, by=str(by))


def present_message(row: Registration) -> EffectRequest | None:
    """What the registration would be told now; None where there is nothing to say. The row brings its order."""
    order = row.order
    if row.activity.called_off_at and order.status != OrderStatus.REFUNDED and not row.given_up_at:
        return called_off_message(row, order)
    if message := message_for(row, order):
        return message
    if not (row.holds_place and order.status in AWAITING_PAYMENT):
        return None
    if row.is_unconfirmed:
        return confirmation_message(row)
    return offer_message(row) if WaitingEntry.objects.filter(offered=row).exists() else None


def end_holds(rows: Sequence[Registration], *, at: datetime) -> None:
    """End the time for which these places are held, so that the clean-up takes them at its next run.

    In a transaction that has locked the orders, which wait for payment.
    """
    Registration.objects.filter(pk__in=[row.pk for row in rows], holds_place=True).update(held_until=at)
    later = CheckoutAttempt.objects.filter(order=OuterRef("order"), number__gt=OuterRef("number"))
    newest = CheckoutAttempt.objects.filter(order_id__in=[row.order_id for row in rows]).exclude(Exists(later))
    newest.update(expires_at=at)


def record_staff_action(action: str, *, order_ids: Iterable[int], reason: str, by: object, at: datetime) -> None:
    """One row in the history of each order, in the caller's transaction.

    `action`: the history's word for it; `by`: named by its text.
    """
    OrderChange.objects.bulk_create(
        OrderChange(
            order_id=order_id, field=action, after=reason[:HISTORY_TEXT_MAX_LENGTH], occurred_at=at, learned_at=at,
            source=str(by)[:HISTORY_TEXT_MAX_LENGTH],
        )
        for order_id in order_ids
    )  # fmt: skip


@transaction.atomic
def _end_waiting(registration: Registration, *, reason: str, by: Any, at: datetime) -> bool:
    """Nobody is waited for any more. Returns whether the order is still to be closed, which frees the place."""
    order = Order.objects.select_for_update(no_key=True).get(pk=registration.order_id)
    row = Registration.objects.select_for_update(no_key=True).get(pk=registration.pk)
    _refuse_what_stays(row, order)
    record_staff_action(PLACE_FREED, order_ids=[order.pk], reason=reason, by=by, at=at)
    if order.status in AWAITING_PAYMENT:
        end_holds([row], at=at)
        return True
    give_up_place(row, by=by, at=at)
    return False


def _refuse_what_stays(row: Registration, order: Order) -> None:
    if not row.holds_place:
        raise PlaceNotFreed(_("This registration holds no place."))
    if order.status == OrderStatus.PROCESSING:
        raise PlaceNotFreed(_("A payment of order %s is under way.") % order.number)
    # Money may have come for what costs nothing: it is refunded first, too.
    is_free = order.status == OrderStatus.PAID and not (order.amount or order.payments.filter(received__gt=0).exists())
    if order.status not in AWAITING_PAYMENT and not is_free:
        raise PlaceNotFreed(_("Order %s has been paid: refund it, and the place is free.") % order.number)


def give_up_place(row: Registration, *, by: Any, at: datetime) -> None:
    """What the order says no longer seats them; looked at once more, the place goes to who waits, and they are told."""
    row.given_up_at = row.held_until = at
    row.save(update_fields=["given_up_at", "held_until"])
    follow_orders_again([row.order_id], source=str(by)[:HISTORY_TEXT_MAX_LENGTH], at=at)


def _close(registration: Registration, *, by: Any, at: datetime) -> None:
    """By the clean-up, which ends an open payment page; what it leaves for a while is closed now."""
    order_id, source = registration.order_id, str(by)[:HISTORY_TEXT_MAX_LENGTH]
    try:
        if clean_up_order(order_id=order_id, at=at).verdict != Verdict.CLOSED:
            close_order(order_id=order_id, at=at, source=source, status=OrderStatus.CANCELED)
    except (GatewayUnavailable, GatewayRefused) as error:
        log.warning("place.not_freed", registration=str(registration.public_id), error=str(error))
        raise PlaceNotFreed(_("Stripe does not answer; the place is freed as soon as it does.")) from error


def _once_more(message: EffectRequest, order: Order, *, reason: str, by: Any) -> EffectRequest:
    """The order's lock makes the number the next one. Sent at once: nobody waits for a delay twice."""
    earlier = Effect.objects.filter(order=order, kind=message.kind)
    if earlier.filter(status__in=UNSENT).exists():
        raise NotResent(_("The same message is about to be sent anyway."))
    number = earlier.filter(key__contains=RESENT).count() + 1
    data = {**message.data, "reason": reason, "by": str(by)}
    return replace(message, key=f"{message.key}{RESENT}{number}", data=data, not_before=None)
