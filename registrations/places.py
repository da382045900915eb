"""Who gets a place: under the activity's lock, leavers first, then whoever paid first (docs/adr/0004-places.md)."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import F

from payments.sql import update_rows
from registrations.models import Activity, Registration

# A released place may find more paid people waiting than there are places; more than this many are not looked at.
MOST_WAITING = 200
Person = tuple[int, str, str]


@dataclass(slots=True)
class Seating:
    """What became of those who asked: `seated` hold a place now, `standing` do not; `called` had been waiting."""

    seated: list[Registration] = field(default_factory=list)
    standing: list[Registration] = field(default_factory=list)
    called: list[Registration] = field(default_factory=list)


def take_place(*, activity_id: int) -> bool:
    """Take one place of the activity if there is one: the last statement of the caller's transaction."""
    free = Activity.objects.filter(pk=activity_id, called_off_at__isnull=True, places_taken__lt=F("capacity"))
    return free.update(places_taken=F("places_taken") + 1) == 1


def move_places(*, leaving: Sequence[Registration], coming: Sequence[Registration]) -> Seating:
    """Free the places of `leaving`, seat `coming` and those who wait. The registrations are locked by the caller.

    Locks the activities last, sorted by id; people who wait are locked only if nobody else holds them.
    """
    activities = _lock({row.activity_id for row in (*leaving, *coming)})
    free = Counter({key: activity.places_left for key, activity in activities.items()})
    for row in leaving:
        row.holds_place = False
        free[row.activity_id] += 1
    waiting = _waiting([key for key in activities if free[key] > 0], besides=coming)
    seating = _seat([*coming, *waiting], free=free, taken=_people_with_place([*coming, *waiting], but=leaving))
    seating.called = [row for row in waiting if row.holds_place]
    _write(activities, free)
    return seating


def _lock(activity_ids: Collection[int]) -> dict[int, Activity]:
    rows = Activity.objects.filter(pk__in=activity_ids).order_by("pk").select_for_update(no_key=True)
    return {row.pk: row for row in rows}


def _waiting(activity_ids: Collection[int], *, besides: Iterable[Registration]) -> list[Registration]:
    """Paid people without a place. Read under the activity's lock: nobody can begin to wait unseen."""
    if not activity_ids:
        return []
    rows = Registration.objects.filter(activity_id__in=activity_ids, waits_since__isnull=False)
    # Nobody is seated where nothing takes place: their money goes back.
    rows = rows.filter(activity__called_off_at__isnull=True).exclude(pk__in=[row.pk for row in besides])
    rows = rows.order_by("waits_since", "pk")
    return list(rows.select_for_update(skip_locked=True, no_key=True, of=("self",))[:MOST_WAITING])


def person(row: Registration) -> Person:
    """Who holds a place where: one person holds at most one place in an activity."""
    return row.activity_id, row.email.lower(), row.name.lower()


def _people_with_place(rows: Sequence[Registration], *, but: Iterable[Registration]) -> set[Person]:
    if not rows:
        return set()
    holders = Registration.objects.filter(
        holds_place=True,
        activity_id__in={row.activity_id for row in rows},
        email__in={row.email for row in rows},
    )
    return {person(row) for row in holders.exclude(pk__in=[row.pk for row in but])}


def _seat(rows: Sequence[Registration], *, free: Counter[int], taken: set[Person]) -> Seating:
    """Give the free places to those who paid first; who holds another place there already does not get a second."""
    seating = Seating()
    for row in sorted(rows, key=lambda row: (row.waits_since, row.pk)):
        if free[row.activity_id] > 0 and person(row) not in taken:
            free[row.activity_id] -= 1
            taken.add(person(row))
            row.holds_place, row.waits_since = True, None
            seating.seated.append(row)
        else:
            seating.standing.append(row)
    return seating


def _write(activities: dict[int, Activity], free: Counter[int]) -> None:
    rows = [
        {"id": key, "places_taken": activity.capacity - free[key], "was_places_taken": activity.places_taken}
        for key, activity in activities.items()
        if activity.places_left != free[key]
    ]
    update_rows(Activity, rows, guards=("places_taken",))
