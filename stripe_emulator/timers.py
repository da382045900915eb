"""What happens by itself: sessions expire, debits settle, subscriptions renew. Advancing the clock brings it nearer."""

from collections.abc import Callable
from contextlib import suppress

import structlog
from django.db import transaction
from django.db.models import QuerySet

from stripe_emulator import clock
from stripe_emulator.errors import CardDeclined, StripeRefusal
from stripe_emulator.models import Emulation, StoredObject, Timer
from stripe_emulator.store import serialize_changes

log = structlog.get_logger(__name__)
Reaction = Callable[..., object]
REACTIONS: dict[str, Reaction] = {}
LONGEST_ADVANCE = 3 * 366 * 24 * 3600


class TooFar(ValueError):
    """The clock only goes forward, and not by more than LONGEST_ADVANCE at once."""


def reacts_to(kind: str) -> Callable[[Reaction], Reaction]:
    """Register what happens when such a timer is due: `reaction(stored, at=…)`, `at` in the object's own time.

    The object is locked; the timer is gone already, and the reaction may set it anew.
    """

    def register(reaction: Reaction) -> Reaction:
        REACTIONS[kind] = reaction
        return reaction

    return register


def set_timer(kind: str, stored: StoredObject, *, at: int) -> None:
    """Let it happen at this moment of the object's own time; a timer of the same kind is moved."""
    Timer.objects.update_or_create(about=stored, kind=kind, defaults={"due_at": at + stored.ahead})


def drop_timer(kind: str, stored: StoredObject) -> None:
    """Let it not happen."""
    Timer.objects.filter(about=stored, kind=kind).delete()


def advance(seconds: int) -> int:
    """Let the time pass and do what falls due meanwhile, in order. Returns how many timers that were."""
    if not 0 < seconds <= LONGEST_ADVANCE:
        raise TooFar(f"The clock can go forward by 1 to {LONGEST_ADVANCE} seconds at once, not by {seconds}.")
    with transaction.atomic():
        emulation = Emulation.current(lock=True)
        emulation.ahead += seconds
        emulation.save(update_fields=["ahead"])
    return fire_due()


def fire_due() -> int:
    """Do what is due, the earliest first, each in its own transaction. Returns how many timers that were."""
    fired = 0
    # Looked at without the lock first: nothing is due most of the time, and who changes something holds it.
    while (due := Timer.objects.filter(due_at__lte=clock.emulated_now())).exists() and _fire_earliest(due):
        fired += 1
    return fired


@transaction.atomic
def _fire_earliest(due: QuerySet[Timer]) -> bool:
    """Strictly in order: what a reaction sets may be due before what another has found."""
    serialize_changes()
    timer = due.order_by("due_at", "pk").first()
    if timer is None:
        return False
    stored = StoredObject.objects.select_for_update().get(pk=timer.about_id)
    timer.delete()
    _react(timer, stored)
    return True


def _react(timer: Timer, stored: StoredObject) -> None:
    """What is refused now would be refused each time: it is told and not tried again. A decline is an outcome."""
    try:
        with transaction.atomic(), suppress(CardDeclined):
            REACTIONS[timer.kind](stored, at=timer.due_at - stored.ahead)
    except StripeRefusal as refusal:
        log.warning("emulator.timer_refused", timer=timer.kind, about=stored.stripe_id, reason=refusal.message)
