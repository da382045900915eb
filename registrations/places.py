"""Who gets a place, and whose money goes back for want of one (docs/adr/0004-places.md, docs/adr/0007).

Under the activity's lock: leavers first, then whoever paid first.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.utils.translation import gettext_noop

from payments.effects.enqueue import EffectRequest
from payments.orders.models import Order
from payments.refunds.refund import going_back, refund_requests
from payments.sql import update_rows
from registrations.models import Activity, LateMoney, Registration

# A released place may find more paid people waiting than there are places; more than this many are not looked at.
MAX_WAITING_READ = 200
# One refund for each payment that comes too late, however often it is told.
LATE_REFUND_KEY = "late"
LATE_REFUND_REASON = gettext_noop("Paid when no place was left.")
# The mail that says so goes first: told after the money has moved, it would be skipped.
LATE_REFUND_DELAY = timedelta(seconds=5)
Person = tuple[int, str, str]


def take_place(*, activity_id: int) -> bool:
    """Take one place of the activity if there is one: the last statement of the caller's transaction."""
    free = Activity.objects.filter(pk=activity_id, called_off_at__isnull=True, places_taken__lt=F("capacity"))
    return free.update(places_taken=F("places_taken") + 1) == 1


def move_places(*, leaving: Sequence[Registration], coming: Sequence[Registration]) -> list[Registration]:
    """Free the places of `leaving`, seat `coming` and those who wait. Returns who is promoted from waiting.

    The registrations are locked by the caller. Locks the activities last, sorted by id; people who wait are locked
    only if nobody else holds them.
    """
    activities = _lock({row.activity_id for row in (*leaving, *coming)})
    free = Counter({key: activity.places_left for key, activity in activities.items()})
    for row in leaving:
        row.holds_place = False
        free[row.activity_id] += 1
    waiting = _waiting([key for key in activities if free[key] > 0], exclude=coming)
    _seat([*coming, *waiting], free=free, holders=_people_with_place([*coming, *waiting], exclude=leaving))
    _write(activities, free)
    return [row for row in waiting if row.holds_place]


def whose_money_stays(unseated: Sequence[Registration]) -> list[Registration]:
    """Of those who paid and hold no place, whose money is here to stay: all of it asked back seeks no seat."""
    back = going_back([row.order_id for row in unseated])
    return [row for row in unseated if row.order_id not in back]


def find_seatable(unseated: Sequence[Registration]) -> list[Registration]:
    """Of those without a place, who can get one: not in an activity that will not take place."""
    off = set(_activities_of(unseated).filter(called_off_at__isnull=False).values_list("pk", flat=True))
    return [row for row in unseated if row.activity_id not in off]


def refund_late_money(
    rows: Sequence[Registration], orders: Mapping[int, Order], *, at: datetime
) -> list[EffectRequest]:
    """Refunds for those who have found no place just now, where the activity wants that; they stop waiting.

    Whoever waits already, because staff were to be asked, goes on waiting when the policy changes. Of an activity that
    is called off everybody is refunded anyway.
    """
    refunding_activities = _activities_of(rows).filter(late_money=LateMoney.REFUND, called_off_at__isnull=True)
    refunding = set(refunding_activities.values_list("pk", flat=True))
    found: list[EffectRequest] = []
    for row in rows:
        if row.activity_id in refunding and (effects := _late_refunds(orders[row.order_id], at=at)):
            row.waits_since = None
            found += effects
    return found


def _lock(activity_ids: Collection[int]) -> dict[int, Activity]:
    rows = Activity.objects.filter(pk__in=activity_ids).order_by("pk").select_for_update(no_key=True)
    return {row.pk: row for row in rows}


def _waiting(activity_ids: Collection[int], *, exclude: Iterable[Registration]) -> list[Registration]:
    """Paid people without a place. Read under the activity's lock: nobody can begin to wait unseen."""
    if not activity_ids:
        return []
    rows = Registration.objects.filter(activity_id__in=activity_ids, waits_since__isnull=False)
    # Nobody is seated where nothing takes place: their money goes back.
    rows = rows.filter(activity__called_off_at__isnull=True).exclude(pk__in=[row.pk for row in exclude])
    rows = rows.order_by("waits_since", "pk")
    return list(rows.select_for_update(skip_locked=True, no_key=True, of=("self",))[:MAX_WAITING_READ])


def _person(row: Registration) -> Person:
    """Who holds a place where: one person holds at most one place in an activity."""
    return row.activity_id, row.email, row.name.lower()


def _people_with_place(rows: Sequence[Registration], *, exclude: Iterable[Registration]) -> set[Person]:
    if not rows:
        return set()
    holders = Registration.objects.filter(
        holds_place=True,
        activity_id__in={row.activity_id for row in rows},
        email__in={row.email for row in rows},
    )
    return {_person(row) for row in holders.exclude(pk__in=[row.pk for row in exclude])}


def _seat(rows: Sequence[Registration], *, free: Counter[int], holders: set[Person]) -> None:
    """Give the free places to those who paid first; who holds another place there already does not get a second."""
    for row in sorted(rows, key=lambda row: (row.waits_since, row.pk)):
        if free[row.activity_id] > 0 and _person(row) not in holders:
            free[row.activity_id] -= 1
            holders.add(_person(row))
            row.holds_place, row.waits_since = True, None


def _write(activities: dict[int, Activity], free: Counter[int]) -> None:
    rows = [
        {"id": key, "places_taken": activity.capacity - free[key], "was_places_taken": activity.places_taken}
        for key, activity in activities.items()
        if activity.places_left != free[key]
    ]
    update_rows(Activity, rows, guards=("places_taken",))


def _late_refunds(order: Order, *, at: datetime) -> list[EffectRequest]:
    return refund_requests(owner=order, reason=LATE_REFUND_REASON, key=LATE_REFUND_KEY, at=at, delay=LATE_REFUND_DELAY)


def _activities_of(rows: Iterable[Registration]) -> QuerySet[Activity]:
    return Activity.objects.filter(pk__in={row.activity_id for row in rows})
