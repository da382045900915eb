"""What a signed-in person has, had, and can still pay for."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from accounts.models import User
from modules_access.models import ModuleAccess, Purchase
from payments.statuses import AWAITING_PAYMENT, OrderStatus


class State(StrEnum):
    """What an access is to its person."""

    ACTIVE = "active"
    EXPIRED = "expired"
    ENDED = "ended"
    USED_UP = "used_up"


@dataclass(frozen=True, slots=True)
class Mine:
    """The newest first. `waiting`: begun, and not paid yet."""

    accesses: list[ModuleAccess]
    waiting: list[Purchase]


def mine(user: User) -> Mine:
    """Everything of the person; two queries."""
    waiting = Purchase.objects.filter(user=user, order__status__in=[*AWAITING_PAYMENT, OrderStatus.PROCESSING])
    return Mine(
        accesses=list(ModuleAccess.objects.of(user).order_by("-created_at", "-pk")),
        waiting=list(waiting.select_related("order", "module").order_by("-created_at", "-pk")),
    )


def state_of(access: ModuleAccess, *, at: datetime) -> State:
    """Whether it lets its person in at this moment, and if not, why. Reads its token."""
    if not access.is_active:
        return State.ENDED
    if access.expires_at and access.expires_at <= at:
        return State.EXPIRED
    return State.ACTIVE if access.is_open(at=at) else State.USED_UP
