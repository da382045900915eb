"""Where the places of an activity do not add up: what must always hold is looked at, whatever the code believes."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Lower

from registrations.models import Activity, Registration


class BreachKind(StrEnum):
    """The counter lies, more people hold a place than there are, or somebody paid and waits beside a free one."""

    COUNTER = "counter"
    OVERSOLD = "oversold"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing about one activity that must not be: `taken` says the counter, `held` say the registrations.

    `waiting` paid, hold no place and could have one. `is_repaired`: the counter says `held` now.
    """

    activity_id: int
    activity: str
    kind: BreachKind
    capacity: int
    taken: int
    held: int
    waiting: int = 0
    is_repaired: bool = False

    @property
    def difference(self) -> str:
        """The breach in short: the same for as long as nothing changes."""
        return f"{self.kind}:{self.capacity}:{self.taken}:{self.held}:{self.waiting}"

    def repaired(self) -> "Breach":
        """The same, put right."""
        return replace(self, is_repaired=True)


def find_breaches(*, activity_ids: Collection[int] | None = None) -> list[Breach]:
    """What is wrong now, by activity; read in one statement, so that nothing moves between counter and count."""
    activities = Activity.objects.all() if activity_ids is None else Activity.objects.filter(pk__in=activity_ids)
    counted = activities.annotate(held=_count(_holders()), waiting_paid=_count(_waiting())).order_by("pk")
    differs = ~Q(held=F("places_taken")) | Q(waiting_paid__gt=0, places_taken__lt=F("capacity"))
    rows = counted.filter(differs).values_list("pk", "title", "capacity", "places_taken", "held", "waiting_paid")
    return [breach for row in rows for breach in _breaches(*row)]


def _breaches(key: int, title: str, capacity: int, taken: int, held: int, waiting: int) -> list[Breach]:
    found = []
    if held != taken:
        kind = BreachKind.OVERSOLD if held > capacity else BreachKind.COUNTER
        found.append(Breach(key, title, kind, capacity, taken, held))
    if waiting and taken < capacity:
        found.append(Breach(key, title, BreachKind.WAITING, capacity, taken, held, waiting))
    return found


def _holders() -> QuerySet[Registration]:
    return Registration.objects.filter(holds_place=True)


def _waiting() -> QuerySet[Registration]:
    """Who paid and holds no place, although they hold no other one there either: nobody gets two."""
    same_person = _holders().filter(activity=OuterRef("activity"), email=OuterRef("email"))
    holds_another = same_person.annotate(named=Lower("name")).filter(named=Lower(OuterRef("name")))
    return Registration.objects.filter(waits_since__isnull=False).exclude(Exists(holds_another))


def _count(rows: QuerySet[Registration]) -> Coalesce:
    counted = rows.filter(activity=OuterRef("pk")).order_by().values("activity").annotate(rows=Count("pk"))
    return Coalesce(Subquery(counted.values("rows"), output_field=IntegerField()), 0)
