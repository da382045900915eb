"""Who waits for a place: whoever paid is seated first, then the waiting list is offered what becomes free."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, Subquery
from django.utils.translation import gettext as _

from payments.apply.apply import follow_orders_again
from payments.effects.enqueue import enqueue
from payments.orders.models import CheckoutAttempt
from registrations.holds import AN_HOUR, require_few_entries, wait_in_line
from registrations.invitations import joined_message, waiting_confirmation_messages
from registrations.mails import offer_message
from registrations.models import Activity, EmailState, Registration, Sale, WaitingEntry, is_called
from registrations.services.register import ActivityFull, AlreadyRegistered, SalesClosed, register
from registrations.services.staff_actions import record_staff_action
from registrations.visitors import NOBODY, Visitor

log = structlog.get_logger(__name__)
OFFER_LIFETIME = timedelta(hours=24)
# For who was never asked to confirm their address: perhaps nobody reads it there.
SHORT_OFFER_LIFETIME = timedelta(hours=2)
MAX_SEATED_AT_ONCE = 100
# What the history of an order calls it.
PLACE_OFFERED = "offered"


class NotOffered(ValueError):
    """No offer was made; the text says why."""


class PlacesLeft(Exception):
    """The activity is not full: one can simply register."""


@transaction.atomic
def join_waiting_list(
    *, activity: Activity, name: str, email: str, language: str, at: datetime, visitor: Visitor = NOBODY
) -> WaitingEntry:
    """Put the person on the list, where they count as soon as their address is confirmed: a mail asks for that.

    Who is on it already keeps their position, however often they ask. Raises SalesClosed (not on sale, ended or called
    off), AlreadyRegistered (holds a place, or has paid and comes first anyway), PlacesLeft or TooManyEntries.
    """
    wait_in_line(email=email, client="")
    activity = Activity.objects.get(pk=activity.pk)
    sale = activity.sale_at(at, has_waiting=activity.has_waiting_people())
    if sale.is_closed:
        raise SalesClosed(activity.title)
    if Registration.objects.placed(activity, name=name, email=email).exists():
        raise AlreadyRegistered(email)
    if sale == Sale.OPEN:
        raise PlacesLeft(activity.title)
    defaults = {"name": name, "language": language, "created_at": at, "email_state": EmailState.ASKED}
    own = WaitingEntry.objects.filter(is_called(name))
    person: dict[str, Any] = {"activity": activity, "email": email, "offered": None}
    if not (visitor.owns(email) or own.filter(**person).exists()):
        require_few_entries(email=email, at=at)
    entry, is_new = own.get_or_create(**person, defaults=defaults)
    if is_new:
        log.info("waiting.joined", entry=entry.pk, activity=activity.slug)
    if visitor.owns(email):
        confirm_waiting(entry=entry, at=at)
    elif entry.is_unconfirmed:
        enqueue(waiting_confirmation_messages(entry, at=at), at=at)
    return entry


@transaction.atomic
def confirm_waiting(*, entry: WaitingEntry, at: datetime) -> None:
    """Somebody who reads mail at the address wants to wait: from now on the entry counts, as old as it is.

    A mail tells them so, once.
    """
    if WaitingEntry.objects.filter(pk=entry.pk, email_state=EmailState.ASKED).update(email_state=EmailState.CONFIRMED):
        enqueue([joined_message(entry, hours=OFFER_LIFETIME // AN_HOUR)], at=at)
        log.info("waiting.confirmed", entry=entry.pk)
    entry.refresh_from_db()


def seat_waiting(*, at: datetime) -> int:
    """Seat people who paid and wait, where a place is free: after more places were added. Returns how many."""
    waiting = Registration.objects.filter(waits_since__isnull=False, activity__places_taken__lt=F("activity__capacity"))
    order_ids = list(waiting.order_by("waits_since").values_list("order_id", flat=True)[:MAX_SEATED_AT_ONCE])
    if not order_ids:
        return 0
    follow_orders_again(order_ids, source="places became free", at=at)
    return Registration.objects.filter(order_id__in=order_ids, holds_place=True).count()


def offer_places(*, at: datetime) -> int:
    """Offer every free place to who waits, after people who paid for one. Returns how many offers were made.

    An offer is a registration that holds its place for OFFER_LIFETIME, or less where nobody has confirmed the address;
    when its order closes the place is free again, for the next person. Each offer is a transaction of its own; any
    number of workers may do this at once.
    """
    while seat_waiting(at=at):
        pass
    return sum(_offer_all(activity_id, at=at) for activity_id in _activities_to_offer(at=at))


def offer_places_of(*, activity: Activity, reason: str, by: Any, at: datetime) -> int:
    """Offer this activity's free places at once, as the timetable does every minute. Returns how many offers were made.

    Who decided so, and why, stands in the history of each order. Raises NotOffered.
    """
    if not reason.strip():
        raise NotOffered(_("Offering places needs a reason."))
    while seat_waiting(at=at):
        pass
    count = _offer_all(activity.pk, at=at) if Activity.objects.coming(at=at).filter(pk=activity.pk).exists() else 0
    if not count:
        raise NotOffered(_("No offer was made: no place is free, or nobody waits for it."))
    offered = Registration.objects.filter(activity=activity, waited__isnull=False, created_at=at)
    order_ids = offered.values_list("order_id", flat=True)
    record_staff_action(PLACE_OFFERED, order_ids=order_ids, reason=reason.strip(), by=by, at=at)
    log.info("waiting.offered_by_staff", activity=activity.slug, count=count, by=str(by))
    return count


def _activities_to_offer(*, at: datetime) -> list[int]:
    offerable = Activity.objects.coming(at=at).awaited().filter(places_taken__lt=F("capacity"))
    return list(offerable.values_list("pk", flat=True))


def _offer_all(activity_id: int, *, at: datetime) -> int:
    count = 0
    while (made := _offer_next(activity_id, at=at)) is not None:
        count += made
    return count


@transaction.atomic
def _offer_next(activity_id: int, *, at: datetime) -> int | None:
    """Offer one place to who comes next. Returns how many offers that made; None: nothing for this worker."""
    entry = _claim_oldest(activity_id)
    if entry is None:
        return None
    try:
        row = register(activity=entry.activity, name=entry.name, email=entry.email, language=entry.language, at=at)
    except (ActivityFull, SalesClosed):
        return None
    except AlreadyRegistered:
        # They found a place by another way: nothing is left to wait for.
        entry.delete()
        return 0
    _make_offer(entry, row, at=at)
    return 1


def _claim_oldest(activity_id: int) -> WaitingEntry | None:
    """Only the oldest entry is ever locked: whoever has it offers the next ones too, so nobody is overtaken."""
    waiting = WaitingEntry.objects.waiting().filter(activity_id=activity_id)
    oldest = waiting.order_by("created_at", "pk").values("pk")[:1]
    locked = waiting.filter(pk=Subquery(oldest)).select_for_update(skip_locked=True, no_key=True, of=("self",))
    return locked.select_related("activity").first()


def _make_offer(entry: WaitingEntry, row: Registration, *, at: datetime) -> None:
    """The place is held, and can be paid for, until the offer ends; the person is told so."""
    until = at + (OFFER_LIFETIME if entry.email_state == EmailState.CONFIRMED else SHORT_OFFER_LIFETIME)
    Registration.objects.filter(pk=row.pk).update(held_until=until, email_state=entry.email_state)
    CheckoutAttempt.objects.filter(order_id=row.order_id).update(expires_at=until)
    WaitingEntry.objects.filter(pk=entry.pk).update(offered=row)
    enqueue([offer_message(row)], at=at)
    log.info("waiting.offered", entry=entry.pk, registration=str(row.public_id), order=row.order_id)
