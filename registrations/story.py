"""What a registration tells of itself in the timeline of its order: from the waiting list to the day itself."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.personal import shown_name
from payments.timeline import Kind, Moment, Subject
from registrations.models import ORDER_KIND, Registration, WaitingEntry

ABOUT = ("registrations.registration",)


def registrations_of(subject: Subject) -> list[Registration]:
    """Those that the orders pay, the newest first, with activity, order and waiting entry; one query."""

    def load() -> list[Registration]:
        ids = [order.pk for order in subject.orders if order.kind == ORDER_KIND]
        rows = Registration.objects.filter(order__in=ids).select_related("activity", "order", "waited")
        return list(rows.order_by("-pk")) if ids else []

    return subject.once("registrations", load)


def told_by_registration(row: Registration, *, at: datetime) -> Iterator[Moment]:
    """The moments that no change of the order tells. The row brings its activity and its waiting entry, if any."""
    activity, link = row.activity, ((row, shown_name(row.name)),)
    told = {"name": shown_name(row.name), "activity": activity.title}
    entry: WaitingEntry | None = getattr(row, "waited", None)
    if entry:
        yield Moment(
            entry.created_at, Kind.BUYER, _("%(name)s joined the waiting list of %(activity)s.") % told,
            tells_of=("registrations.waitingentry",),
        )  # fmt: skip
        sentence = _("A place that became free in %(activity)s was offered to %(name)s.") % told
        yield Moment(row.created_at, Kind.SYSTEM, sentence, links=link, tells_of=ABOUT)
    else:
        sentence = _("%(name)s registered for %(activity)s.") % told
        yield Moment(row.created_at, Kind.BUYER, sentence, detail=row.email, links=link, tells_of=ABOUT)
    if row.waits_since:
        yield Moment(row.waits_since, Kind.SYSTEM, _("Paid, and waits for a place."), links=link, tells_of=ABOUT)
    if row.given_up_at:
        yield Moment(row.given_up_at, Kind.BUYER, _("The place was given up."), links=link, tells_of=ABOUT)
    if activity.called_off_at:
        sentence = _("%(activity)s was called off.") % told
        yield Moment(activity.called_off_at, Kind.SYSTEM, sentence, detail=activity.called_off_reason, tells_of=ABOUT)
    else:
        yield _day(row, at=at)


def _day(row: Registration, *, at: datetime) -> Moment:
    """The day itself, be it over or still to come."""
    activity = row.activity
    what = f"{activity.title}, {activity.place}" if activity.place else activity.title
    took_place = _("Took place: %(what)s.") if activity.starts_at <= at else _("Is going to take place: %(what)s.")
    held = _("A place was held for this person.") if row.holds_place else _("No place was held for this person.")
    return Moment(
        activity.starts_at, Kind.SYSTEM, took_place % {"what": what}, followed=(held,),
        tells_of=ABOUT,
    )  # fmt: skip
