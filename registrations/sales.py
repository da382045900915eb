"""Whether an activity can be registered for at a moment, and if not, why."""

from datetime import datetime
from enum import StrEnum

from registrations.models import Activity


class Sale(StrEnum):
    """What the public is told about an activity's places."""

    OPEN = "open"
    FULL = "full"
    PAUSED = "paused"
    ENDED = "ended"
    CALLED_OFF = "called_off"


CLOSED = frozenset({Sale.PAUSED, Sale.ENDED, Sale.CALLED_OFF})


def sale_of(activity: Activity, *, at: datetime, has_waiting: bool = False) -> Sale:
    """`has_waiting`: somebody is on its waiting list, who comes first; then it is full for everybody else."""
    if activity.called_off_at:
        return Sale.CALLED_OFF
    if activity.starts_at <= at:
        return Sale.ENDED
    if not activity.is_on_sale:
        return Sale.PAUSED
    return Sale.FULL if has_waiting or activity.places_left < 1 else Sale.OPEN
