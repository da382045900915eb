"""A drill in which everything stands still: the database of the site is away."""

import io
import subprocess
import sys
from subprocess import DEVNULL

from django.core.management import call_command

from config import env
from config.devdb.server import Server, lasting_server
from registrations.drills import deliveries
from registrations.drills.buyers import (
    ALL_PAID,
    ALL_SEATED,
    NOBODY_PAID_BACK,
    NOT_BY_HAND,
    NOTHING_TWICE,
    SALES_GO_ON,
    USUAL_CARD,
    sell,
)
from registrations.drills.drill import Check, Drill, Finding
from registrations.drills.state import DrillRefused, Run

BUYERS = 6
# How late Stripe's deliveries come meanwhile, at most: nearly all of them find the database away.
LATE_SECONDS = 6 * 3600


def _answers(run: Run) -> Finding:
    """Whoever looks has asked the database already: `judge` looks at nothing while it is away."""
    return Finding()


class DeadDatabase(Drill):
    """The database server stops just after people have paid; Stripe tries again later, by its own timetable."""

    name = "dead-database"
    teaches = "nothing is lost while the database is away: start it, then fetch what Stripe would send only later"
    ticket = (
        "The shop shows everybody an error, and so does the staff's site. Some people had just paid. A colleague "
        "proposes to write down who calls, and to mark them as paid by hand tomorrow."
    )
    hints = (
        "`/livez` answers and `/readyz` does not: what is it that they differ in?",
        "The database server is stopped: `.venv/bin/python -m config.devdb start` starts that of `make run`.",
        "Stripe sends again what found nobody, but only in hours. `manage.py stripe_backfill` fetches it now.",
    )
    checks = (
        Check("database", 40, "the database answers", "`.venv/bin/python -m config.devdb start`", _answers),
        Check("events-fetched", 20, deliveries.FETCHED.needed, deliveries.FETCHED.remedy, deliveries.FETCHED.look),
        Check("orders-paid", 20, ALL_PAID.needed, ALL_PAID.remedy, ALL_PAID.look),
        Check("places-taken", 20, ALL_SEATED.needed, ALL_SEATED.remedy, ALL_SEATED.look),
    )
    traps = (NOBODY_PAID_BACK, NOTHING_TWICE, NOT_BY_HAND, SALES_GO_ON)

    def begin(self, run: Run) -> None:
        """Raises DrillRefused where the site has another database than that of `make run`: it may be anybody's."""
        server = _server_of_make_run()
        if server is None or server.pid() is None:
            raise DrillRefused("This drill stops the database that `make run` starts; the site uses another one.")
        _emulator("chaos", "--delay", str(LATE_SECONDS))
        sell(run, cards=[USUAL_CARD] * BUYERS)
        server.stop()

    def end(self, run: Run) -> list[str]:
        done = []
        server = _server_of_make_run()
        if server is not None and server.pid() is None:
            # By its own command: it outlives whoever started it.
            subprocess.run([sys.executable, "-m", "config.devdb", "start"], cwd=env.ROOT, check=True, stdout=DEVNULL)
            done.append("the database is started")
        _emulator("chaos", "--off")
        return [*done, "the emulator delivers in time again"]


def _server_of_make_run() -> Server | None:
    """None where the site has a database of another server."""
    server = lasting_server()
    return server if env.text("DATABASE_URL") == server.url else None


def _emulator(*arguments: str) -> None:
    """What is set at the emulator by its own command."""
    call_command("stripe_emulator", *arguments, stdout=io.StringIO())
