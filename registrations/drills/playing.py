"""Starting a drill, asking how it stands, and putting everything back. One at a time, on the emulator only."""

from datetime import datetime

from django.conf import settings

from registrations.drills.deliveries import LostWebhooks, WrongSecret
from registrations.drills.drill import Drill, Score, judge
from registrations.drills.money import DisputeWeek, RefundStorm
from registrations.drills.outage import DeadDatabase
from registrations.drills.state import DrillRefused, Run, begin_run, current_run, forget_run
from registrations.models import Activity

DRILLS: dict[str, Drill] = {
    drill.name: drill for drill in (LostWebhooks(), WrongSecret(), RefundStorm(), DisputeWeek(), DeadDatabase())
}


def require_emulator() -> None:
    """Raises DrillRefused where a drill would break something real."""
    if not settings.STRIPE_EMULATOR:
        raise DrillRefused("Drills are played on the Stripe emulator only (STRIPE_EMULATOR): `make run` starts it.")


def start(*, name: str, at: datetime) -> Run:
    """Break what the drill breaks; what was done by then is put back where it cannot begin.

    Raises DrillRefused, GatewayRefused, GatewayUnavailable.
    """
    run = begin_run(drill=name, at=at)
    try:
        DRILLS[name].begin(run)
    except DrillRefused:
        forget_run()
        raise
    run.is_ready = True
    run.keep()
    return run


def hint(run: Run) -> str:
    """The next one; each costs points. Raises DrillRefused after the last."""
    hints = DRILLS[run.drill].hints
    if run.hints >= len(hints):
        raise DrillRefused("There are no more hints: `manage.py drill score` names what is missing.")
    run.hints += 1
    run.keep()
    return hints[run.hints - 1]


def score(run: Run, *, at: datetime) -> Score:
    """As often as one likes: it changes nothing. Raises GatewayRefused, GatewayUnavailable."""
    return judge(DRILLS[run.drill], run, at=at)


def end() -> list[str]:
    """Put Stripe's side back and close the sales of the drill's activity; its orders stay. Returns what was done.

    Safe to be done again, also where the start was cut short. Raises DrillRefused, GatewayRefused, GatewayUnavailable:
    then the drill is still there to be ended.
    """
    run = current_run()
    done = DRILLS[run.drill].end(run)
    if run.activity and Activity.objects.filter(slug=run.activity, is_on_sale=True).update(is_on_sale=False):
        done.append(f"the sales of “{run.activity}” are closed; its orders stay")
    forget_run()
    return done
