"""The loops of a worker, which need no broker: one drains the ledger when the bell rings, one delivers effects, and
others are registered by higher rooms.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import Event, Thread
from time import monotonic
from typing import Any

import psycopg
import structlog
from celery import bootsteps
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection as default_connection
from django.db import connections
from django.utils import timezone
from psycopg.conninfo import conninfo_to_dict

from payments.bell import CHANNEL
from payments.effects.deliver import ShouldStop, deliver_all, recover_claimed
from payments.processing.drain import drain, sweep
from payments.processing.replay_runs import PAUSE, advance_replay

log = structlog.get_logger(__name__)

FIRST_RESTART_PAUSE_SECONDS, MAX_RESTART_PAUSE_SECONDS = 0.2, 5.0
EFFECTS_INTERVAL_SECONDS = 5.0
HOUSEKEEPING_INTERVAL_SECONDS = 60.0
# How long a stop waits for a batch or a mail to end; what is cut off is found again by the next worker.
STOP_SECONDS = 5.0


Loop = Callable[[Event], None]
_more: list[Loop] = []


def runs_in_worker(loop: Loop) -> Loop:
    """Register a loop that every worker runs in a thread of its own until the event that it gets is set."""
    _more.append(loop)
    return loop


class Loops:
    """Threads with connections of their own; they end only when they are asked to."""

    def __init__(self) -> None:
        self.stopping = Event()
        self.effects_wanted = Event()
        loops = {"drain": self.drain_on_bell, "effects": self.deliver_effects}
        loops |= {loop.__name__: self._registered(loop) for loop in _more}
        self.threads = [
            Thread(name=name, target=self.keep_running, args=(loop,), daemon=True) for name, loop in loops.items()
        ]

    def _registered(self, loop: Loop) -> Callable[[], None]:
        return wraps(loop)(lambda: loop(self.stopping))

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def ask_to_stop(self) -> None:
        """Come to an end after the batch or the mail at hand."""
        self.stopping.set()
        self.effects_wanted.set()

    def wait(self) -> None:
        """Wait until somebody asks for the end."""
        self.stopping.wait()

    def stop(self) -> None:
        """Ask for the end, and wait for it as long as one may wait."""
        self.ask_to_stop()
        deadline = monotonic() + STOP_SECONDS
        for thread in self.threads:
            thread.join(max(0.0, deadline - monotonic()))
            if thread.is_alive():
                log.warning("loop.left_behind", loop=thread.name)

    def keep_running(self, loop: Callable[[], None]) -> None:
        """Run the loop until the end; after any trouble it starts over with fresh connections, a bit later each."""
        pause = FIRST_RESTART_PAUSE_SECONDS
        while not self.stopping.is_set():
            began = monotonic()
            run_once(loop, again_in=pause)
            if monotonic() - began > MAX_RESTART_PAUSE_SECONDS:
                pause = FIRST_RESTART_PAUSE_SECONDS
            self.stopping.wait(pause)
            pause = min(pause * 2, MAX_RESTART_PAUSE_SECONDS)

    def drain_on_bell(self) -> None:
        """Drain what is due: at once when the bell rings, and every few seconds because a ring can get lost."""
        housekeeping, replays = Every(HOUSEKEEPING_INTERVAL_SECONDS), Every(PAUSE.total_seconds())
        with listening() as connection:
            log.info("drain.listening")
            while not self.stopping.is_set():
                if housekeeping.is_due():
                    sweep(at=timezone.now())
                if drain(should_stop=self.stopping.is_set):
                    self.effects_wanted.set()
                # Only what is fresh comes before it: see payments.processing.replay_runs.
                pause = float(settings.SWEEP_SECONDS)
                if replays.is_due() and advance_replay(at=timezone.now()):
                    self.effects_wanted.set()
                    pause = replays.seconds
                if has_rung(connection, within=pause, should_stop=self.stopping.is_set):
                    self.effects_wanted.set()

    def deliver_effects(self) -> None:
        """Deliver what is due: at once after a drain, and every few seconds."""
        housekeeping = Every(HOUSEKEEPING_INTERVAL_SECONDS)
        while not self.stopping.is_set():
            if housekeeping.is_due():
                recover_claimed(at=timezone.now())
            deliver_all(clock=timezone.now, should_stop=self.stopping.is_set)
            self.effects_wanted.wait(EFFECTS_INTERVAL_SECONDS)
            self.effects_wanted.clear()


class Every:
    """Says once in a while that it is time; the first time at once."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.last = seconds, float("-inf")

    def is_due(self) -> bool:
        if monotonic() - self.last < self.seconds:
            return False
        self.last = monotonic()
        return True


def run_once(loop: Callable[[], None], *, again_in: float) -> None:
    """Run the loop to its end or to the first trouble, which is logged: a thread that dies would do so in silence."""
    name = loop.__name__
    try:
        loop()
    except (DatabaseError, psycopg.Error) as error:
        log.warning("loop.interrupted", loop=name, error=str(error).strip(), again_in=again_in)
    except Exception:
        log.exception("loop.failed", loop=name, again_in=again_in)
    finally:
        connections.close_all()


# How long a stop may go unnoticed.
STOP_CHECK_SECONDS = 0.25
# A connection that died without a word (a cut cable, a firewall that forgot it) is noticed within half a minute.
LISTENER_CONNECTION_OPTIONS = {
    "application_name": "payments-listener",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


@contextmanager
def listening() -> Iterator[psycopg.Connection[Any]]:
    """A connection that hears every ring from now on. Raises psycopg.Error."""
    with psycopg.connect(**_parameters(), autocommit=True) as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        yield connection


def has_rung(connection: psycopg.Connection[Any], *, within: float, should_stop: ShouldStop) -> bool:
    """Wait for the bell; however often it has rung, that is one answer. False: `within` seconds are over, or stop."""
    deadline = monotonic() + within
    while not should_stop() and monotonic() < deadline:
        if list(connection.notifies(timeout=STOP_CHECK_SECONDS, stop_after=1)):
            return True
    return False


def _parameters() -> dict[str, Any]:
    """Where to listen: past the pooler if there is one, since a pooled connection hears nothing."""
    if settings.DATABASE_LISTEN_URL:
        where = conninfo_to_dict(settings.DATABASE_LISTEN_URL)
    else:
        where = default_connection.get_connection_params()
    return {**LISTENER_CONNECTION_OPTIONS, **where}


class ProcessingStep(bootsteps.StartStopStep):
    """A step of the worker itself, not of its consumer, so that it starts and goes on while the broker is away."""

    # After the pool, so that its children are forked before there are threads and connections to inherit.
    requires = ("celery.worker.components:Pool",)

    def create(self, parent: Any) -> Loops:  # type: ignore[override] # the stubs say None
        return Loops()

    def close(self, parent: Any) -> None:
        """The first word of a stop: the loops come to their end while the other steps still stop."""
        self.obj.ask_to_stop()
