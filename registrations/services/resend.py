"""Sends the message about a registration's present state once more, because a person asks for it."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.models import Effect
from payments.orders.models import Order
from payments.statuses import AWAITING_PAYMENT, EffectStatus, OrderStatus
from registrations.messages import called_off_message, message_for, offer_message
from registrations.models import Registration, WaitingEntry
from registrations.services.history import note_act

log = structlog.get_logger(__name__)
MESSAGE = "message"
AGAIN = ":again:"
ON_ITS_WAY = (EffectStatus.PENDING, EffectStatus.CLAIMED)


class NotResent(ValueError):
    """Nothing is sent; the text says why."""


@transaction.atomic
def resend_message(*, registration: Registration, reason: str, by: Any, at: datetime) -> None:
    """Note the mail of the present state under a new key, with the reason and the person.

    Raises NotResent where there is nothing to tell, or while the same mail is on its way: so a double click sends one.
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
    note_act(MESSAGE, order_ids=[order.pk], reason=reason.strip(), by=by, at=at)
    log.info("message.resent", effect=again.key, order=order.pk, by=str(by))


def present_message(row: Registration) -> EffectRequest | None:
    """What the registration would be told now; None where there is nothing to say. The row brings its order."""
    order = row.order
    if row.activity.called_off_at and order.status != OrderStatus.REFUNDED and not row.given_up_at:
        return called_off_message(row, order)
    if message := message_for(row, order):
        return message
    is_offer = (
        row.holds_place and order.status in AWAITING_PAYMENT and WaitingEntry.objects.filter(offered=row).exists()
    )
    return offer_message(row) if is_offer else None


def _once_more(message: EffectRequest, order: Order, *, reason: str, by: Any) -> EffectRequest:
    """The order's lock makes the number the next one. Sent at once: nobody waits for patience twice."""
    earlier = Effect.objects.filter(order=order, kind=message.kind)
    if earlier.filter(status__in=ON_ITS_WAY).exists():
        raise NotResent(_("The same message is about to be sent anyway."))
    number = earlier.filter(key__contains=AGAIN).count() + 1
    data = {**message.data, "reason": reason, "by": str(by)}
    return replace(message, key=f"{message.key}{AGAIN}{number}", data=data, not_before=None)
