"""Checks that the places of every activity add up; a counter that lies is put right only on demand, with evidence.

What must always hold is looked at, whatever the code believes. Staff get one mail for each violation and day, and one
for each repair.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from django.db import transaction
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Lower
from django.urls import reverse
from django.utils.translation import gettext_noop

from payments.effects.deliver import Skip
from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.mail import Mail, mails, to_staff
from payments.effects.models import Effect
from registrations.models import Activity, Registration

log = structlog.get_logger(__name__)
ALERT_KIND = "alert.places"
# What the next tick of the timetable puts right by itself is no news: the mail looks again before it goes.
ALERT_DELAY = timedelta(minutes=3)
SKIP_PUT_RIGHT = Skip(gettext_noop("The places add up again."))


class ReasonMissing(ValueError):
    """Who has a counter repaired says why."""


class ViolationKind(StrEnum):
    """The counter lies, more people hold a place than there are, or somebody paid and waits beside a free one."""

    COUNTER = "counter"
    OVERSOLD = "oversold"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing about one activity that must not be: `taken` says the counter, `held` say the registrations.

    `waiting` paid, hold no place and could have one. `is_repaired`: the counter says `held` now.
    """

    activity_id: int
    activity: str
    kind: ViolationKind
    capacity: int
    taken: int
    held: int
    waiting: int = 0
    is_repaired: bool = False

    @property
    def difference(self) -> str:
        """The violation in short: one text for as long as nothing changes."""
        return f"{self.kind}:{self.capacity}:{self.taken}:{self.held}:{self.waiting}"

    def as_log_fields(self) -> dict[str, object]:
        return {**asdict(self), "kind": str(self.kind)}


def check_places(*, at: datetime, repair: bool = False, reason: str = "") -> list[Violation]:
    """What does not add up, each logged and told to staff. Returns it as it is afterwards.

    `repair`: let the counter say what the registrations say, for this reason (else ReasonMissing). More people than
    places, or somebody who waits beside a free place, is not a matter of counting: that stays.
    """
    if repair and not reason.strip():
        raise ReasonMissing("A repair needs a reason.")
    repaired = _repair_all(reason=reason.strip(), at=at) if repair else []
    violations = find_violations()
    _tell(violations, at=at)
    return repaired + violations


def find_violations(*, activity_ids: Collection[int] | None = None) -> list[Violation]:
    """What is wrong now, by activity; read in one statement, so that nothing moves between counter and count."""
    activities = Activity.objects.all() if activity_ids is None else Activity.objects.filter(pk__in=activity_ids)
    counted = activities.annotate(held=_count(_holders()), waiting_paid=_count(_paid_and_waiting())).order_by("pk")
    differs = ~Q(held=F("places_taken")) | Q(waiting_paid__gt=0, places_taken__lt=F("capacity"))
    rows = counted.filter(differs).values_list("pk", "title", "capacity", "places_taken", "held", "waiting_paid")
    return [violation for row in rows for violation in _violations_of(*row)]


@mails(ALERT_KIND)
def places_do_not_add_up(effect: Effect) -> Mail | Skip:
    """A repair is always told; a violation only if it is still there as it was found."""
    found = {violation.difference for violation in find_violations(activity_ids=[effect.data["activity_id"]])}
    if not effect.data["is_repaired"] and effect.data["difference"] not in found:
        return SKIP_PUT_RIGHT
    context = {**effect.data, "checked_at": effect.created_at}
    return to_staff(context, page=reverse("admin:registrations_activity_change", args=[effect.data["activity_id"]]))


@transaction.atomic
def _tell(violations: Iterable[Violation], *, at: datetime) -> None:
    for violation in violations:
        log.error("places.breach", **violation.as_log_fields())
    enqueue([_alert_about(violation, at=at) for violation in violations], at=at)


def _alert_about(violation: Violation, *, reason: str = "", at: datetime) -> EffectRequest:
    """The alert, with all the evidence in it. `reason`: why somebody had it repaired."""
    data = {**asdict(violation), "difference": violation.difference, "reason": reason}
    name = f"{ALERT_KIND}:{violation.activity_id}:{violation.difference}"
    if violation.is_repaired:
        return EffectRequest(key=f"{name}:repaired:{at:%Y%m%dT%H%M%S.%f}", kind=ALERT_KIND, order_id=None, data=data)
    return EffectRequest(
        key=f"{name}:{at:%Y%m%d}", kind=ALERT_KIND, order_id=None, data=data, not_before=at + ALERT_DELAY
    )


def _repair_all(*, reason: str, at: datetime) -> list[Violation]:
    wrong = [each.activity_id for each in find_violations() if each.kind == ViolationKind.COUNTER]
    repaired = [_repair(activity_id, reason=reason, at=at) for activity_id in wrong]
    return [violation for violation in repaired if violation]


@transaction.atomic
def _repair(activity_id: int, *, reason: str, at: datetime) -> Violation | None:
    """Count again while nobody else can move the activity's places, and put the counter right if it can be."""
    activity = Activity.objects.select_for_update(no_key=True).get(pk=activity_id)
    found = [each for each in find_violations(activity_ids=[activity_id]) if each.kind == ViolationKind.COUNTER]
    if not found:
        return None
    repaired = replace(found[0], is_repaired=True)
    activity.places_taken = repaired.held
    activity.save(update_fields=["places_taken"])
    enqueue([_alert_about(repaired, reason=reason, at=at)], at=at)
    log.warning("places.repaired", reason=reason, **repaired.as_log_fields())
    return repaired


def _violations_of(key: int, title: str, capacity: int, taken: int, held: int, waiting: int) -> list[Violation]:
    found = []
    if held != taken:
        kind = ViolationKind.OVERSOLD if held > capacity else ViolationKind.COUNTER
        found.append(Violation(key, title, kind, capacity, taken, held))
    if waiting and taken < capacity:
        found.append(Violation(key, title, ViolationKind.WAITING, capacity, taken, held, waiting))
    return found


def _holders() -> QuerySet[Registration]:
    return Registration.objects.filter(holds_place=True)


def _paid_and_waiting() -> QuerySet[Registration]:
    """Who paid and holds no place, although they hold no other one there either: nobody gets two."""
    same_person = _holders().filter(activity=OuterRef("activity"), email=OuterRef("email"))
    holds_another = same_person.annotate(named=Lower("name")).filter(named=Lower(OuterRef("name")))
    return Registration.objects.filter(waits_since__isnull=False).exclude(Exists(holds_another))


def _count(rows: QuerySet[Registration]) -> Coalesce:
    counted = rows.filter(activity=OuterRef("pk")).order_by().values("activity").annotate(rows=Count("pk"))
    return Coalesce(Subquery(counted.values("rows"), output_field=IntegerField()), 0)
