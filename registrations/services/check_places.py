"""Checks that the places of every activity add up; a counter that lies is put right only on demand, with evidence."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

import structlog
from django.db import transaction

from payments.effects.enqueue import enqueue
from registrations.alerts import alert_about
from registrations.breaches import Breach, BreachKind, find_breaches
from registrations.models import Activity

__all__ = ["Breach", "BreachKind", "ReasonMissing", "check_places"]

log = structlog.get_logger(__name__)


class ReasonMissing(ValueError):
    """Who has a counter repaired says why."""


def check_places(*, at: datetime, repair: bool = False, reason: str = "") -> list[Breach]:
    """What does not add up, each logged and told to staff. Returns it as it is afterwards.

    `repair`: let the counter say what the registrations say, for the reason `because` (else ReasonMissing). More
    people than places, or somebody who waits beside a free place, is not a matter of counting: that stays.
    """
    if repair and not reason.strip():
        raise ReasonMissing("A repair needs a reason.")
    repaired = _repair_all(reason=reason.strip(), at=at) if repair else []
    breaches = find_breaches()
    _tell(breaches, at=at)
    return repaired + breaches


@transaction.atomic
def _tell(breaches: Iterable[Breach], *, at: datetime) -> None:
    for breach in breaches:
        log.error("places.breach", **_as_fields(breach))
    enqueue([alert_about(breach, at=at) for breach in breaches], at=at)


def _repair_all(*, reason: str, at: datetime) -> list[Breach]:
    wrong = [breach.activity_id for breach in find_breaches() if breach.kind == BreachKind.COUNTER]
    repaired = [_repair(activity_id, reason=reason, at=at) for activity_id in wrong]
    return [breach for breach in repaired if breach]


@transaction.atomic
def _repair(activity_id: int, *, reason: str, at: datetime) -> Breach | None:
    """Count again while nobody else can move the activity's places, and put the counter right if it can be."""
    activity = Activity.objects.select_for_update(no_key=True).get(pk=activity_id)
    found = [each for each in find_breaches(activity_ids=[activity_id]) if each.kind == BreachKind.COUNTER]
    if not found:
        return None
    repaired = found[0].repaired()
    activity.places_taken = repaired.held
    activity.save(update_fields=["places_taken"])
    enqueue([alert_about(repaired, reason=reason, at=at)], at=at)
    log.warning("places.repaired", reason=reason, **_as_fields(repaired))
    return repaired


def _as_fields(breach: Breach) -> dict[str, object]:
    return {**asdict(breach), "kind": str(breach.kind)}
