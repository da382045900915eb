"""What a story is: how it is lived, and what must be known in the end, whatever was heard when."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Max

from payments.handlers.registry import handled_types
from stripe_emulator.errors import Json
from stripe_emulator.events.payload import OLD_VERSION, render
from stripe_emulator.models import Event
from tests.properties.memberships.life import MONTHLY, Life

Ending = dict[str, Any]
SHAPES = {"old": OLD_VERSION, "current": settings.STRIPE_API_VERSION}

# A subscription of the monthly plan that an order of ours began and that was paid once. `payments`: what each brought
# and what of it went back; `elsewhere`: what came by another way than Stripe; `back`: how all of the running period's
# money went back; `asks`: the messages that it calls for; `questions`: what staff are asked.
USUAL: Ending = {
    "status": "active",
    "plan": "monthly",
    "costs": (MONTHLY, "eur", "month"),
    "ends": False,
    "payments": [(MONTHLY, 0)],
    "elsewhere": 0,
    "refunds": [],
    "disputes": [],
    "back": "",
    "asks": [],
    "questions": [],
    "order": "PAID",
    "needs_resync": False,
}


@dataclass(frozen=True)
class Membership:
    """`ends`: each subscription that must have a row; `others`: how orders end that began none.

    `unheard`: what the types of events begin with that never reach us.
    """

    name: str
    lived: Callable[[Life], None]
    ends: tuple[Ending, ...] = ()
    others: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()


def story(name: str, lived: Callable[[Life], None], *ends: Ending, **more: tuple[str, ...]) -> Membership:
    """A story and its ends."""
    return Membership(name, lived, ends, **more)


def ending(**others: Any) -> Ending:
    """How a subscription ends, where it differs from the usual one. More names than usual may be looked at."""
    return {**USUAL, **others}


def events_of(lived: Membership) -> tuple[Json, ...]:
    """Live the story; return what Stripe told, in each shape of its API."""
    newest = Event.objects.aggregate(newest=Max("number"))["newest"] or 0
    life = Life()
    lived.lived(life)
    rows = Event.objects.filter(number__gt=newest, type__in=handled_types()).order_by("number")
    heard = [row for row in rows.prefetch_related("deliveries") if not row.type.startswith(lived.unheard or "-")]
    return tuple({shape: render(row, version) for shape, version in SHAPES.items()} for row in heard)
