"""Mails that lead on whoever reads mail at an address: what was begun in its name is confirmed, or gone on with.

A name and an address are known to others too, so nothing goes on by them alone.
"""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from payments.effects.deliver import Skip
from payments.effects.enqueue import EffectRequest
from payments.effects.mail import Mail, mails
from payments.effects.models import Effect
from payments.statuses import AWAITING_PAYMENT, OrderStatus
from registrations.links import activity_url, confirmation_url, waiting_confirmation_url
from registrations.mails import (
    SKIP_ROW_MISSING,
    SKIP_STATE_CHANGED,
    mail_about,
    mail_to_waiting,
    mails_about,
    why_not_pay,
)
from registrations.models import Registration, WaitingEntry

SKIP_CLOSED = Skip(gettext_noop("One cannot register for the activity any more."))
# The kind of the mail that reminds of a payment.
UNPAID = "registration.unpaid"
# Whoever asks again and again floods nobody's mailbox through us.
MAX_AN_HOUR = 3
AN_HOUR = timedelta(hours=1)


def way_on_messages(row: Registration, *, at: datetime) -> list[EffectRequest]:
    """The mail with the link by which the registration goes on; none where enough were sent."""
    kind = "registration.confirm_address" if row.is_unconfirmed else "registration.resume"
    number = _next_number(f"{kind}:{row.pk}:", at=at)
    return [row.order.message(kind, key=f"{row.pk}:{number}", registration=row.pk)] if number else []


def confirmation_message(row: Registration) -> EffectRequest:
    """The same link once more, when staff send it."""
    return row.order.message("registration.confirm_address", key=f"{row.pk}", registration=row.pk)


def unpaid_message(row: Registration) -> EffectRequest:
    """The payment page is open, and the time to pay is nearly over: once per registration."""
    return row.order.message(UNPAID, key=f"{row.pk}", registration=row.pk)


def joined_message(entry: WaitingEntry, *, hours: int) -> EffectRequest:
    """They are on the list: once per entry. `hours`: for so long an offer is held."""
    data = {"entry": entry.pk, "hours": hours}
    return EffectRequest(f"waiting.joined:{entry.pk}", "waiting.joined", None, data=data)


def waiting_confirmation_messages(entry: WaitingEntry, *, at: datetime) -> list[EffectRequest]:
    """The mail with the link by which the entry counts; none where enough were sent."""
    kind = "waiting.confirm_address"
    number = _next_number(f"{kind}:{entry.pk}:", at=at)
    return [EffectRequest(f"{kind}:{entry.pk}:{number}", kind, None, data={"entry": entry.pk})] if number else []


def _next_number(prefix: str, *, at: datetime) -> int:
    """Of the mail about this, from 1; 0 where enough were sent."""
    earlier = Effect.objects.filter(key__startswith=prefix)
    is_enough = earlier.filter(created_at__gt=at - AN_HOUR).count() >= MAX_AN_HOUR
    return 0 if is_enough else earlier.count() + 1


@mails_about("registration.confirm_address")
def confirm_address(row: Registration, effect: Effect) -> Mail | Skip:
    """A free place, held until somebody who reads mail there wants it."""
    if not (row.is_unconfirmed and _still_waits(row)):
        return SKIP_STATE_CHANGED
    return mail_about(row, confirmation=confirmation_url(row), until=row.held_until)


@mails_about("registration.resume")
def resume(row: Registration, effect: Effect) -> Mail | Skip:
    """Somebody has begun the same once more, whoever that was."""
    return mail_about(row, until=row.held_until) if _still_waits(row) else SKIP_STATE_CHANGED


@mails_about(UNPAID)
def unpaid(row: Registration, effect: Effect) -> Mail | Skip:
    """Only to who has not tried yet: what was declined, or waits for the bank, is told by mails of its own."""
    is_held = row.holds_place and row.held_until is not None and row.held_until > effect.delivery_at
    if not (is_held and row.order.status == OrderStatus.PENDING):
        return SKIP_STATE_CHANGED
    return why_not_pay(row, effect) or mail_about(row, until=row.held_until)


@mails("waiting.confirm_address")
def confirm_waiting(effect: Effect) -> Mail | Skip:
    entry = WaitingEntry.objects.select_related("activity").filter(pk=effect.data["entry"]).first()
    if entry is None:
        return SKIP_ROW_MISSING
    if not entry.is_unconfirmed:
        return SKIP_STATE_CHANGED
    if entry.activity.sale_at(effect.delivery_at).is_closed:
        return SKIP_CLOSED
    return mail_to_waiting(entry, confirmation=waiting_confirmation_url(entry))


@mails("waiting.joined")
def joined(effect: Effect) -> Mail | Skip:
    """With their number on the list as it is now."""
    entry = WaitingEntry.objects.select_related("activity").filter(pk=effect.data["entry"]).first()
    if entry is None:
        return SKIP_ROW_MISSING
    if entry.offered_id or entry.is_unconfirmed:
        return SKIP_STATE_CHANGED
    if entry.activity.sale_at(effect.delivery_at).is_closed:
        return SKIP_CLOSED
    number = WaitingEntry.objects.ahead_of(entry).count() + 1
    return mail_to_waiting(entry, number=number, hours=effect.data["hours"], page=activity_url(entry.activity))


def _still_waits(row: Registration) -> bool:
    return row.holds_place and row.order.status in AWAITING_PAYMENT
