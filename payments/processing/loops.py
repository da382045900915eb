"""Threads that go on until they are asked to stop, each with database connections of its own."""

from collections.abc import Callable, Mapping
from threading import Event, Thread
from time import monotonic

import psycopg
import structlog
from django.db import Error as DatabaseError
from django.db import connections

log = structlog.get_logger(__name__)

FIRST_RESTART_PAUSE_SECONDS, MAX_RESTART_PAUSE_SECONDS = 0.2, 5.0
# A database that is back shall be found within a second, and asking costs nothing.
MAX_DATABASE_PAUSE_SECONDS = 0.5
# While it is away that is said once in so long.
AWAY_SAID_EVERY_SECONDS = 30.0
# How long a stop waits for a batch or a mail to end; what is cut off is found again by the next worker.
STOP_SECONDS = 5.0
# How often a loop looks after what was left behind.
HOUSEKEEPING_SECONDS = 60.0
Loop = Callable[[], None]


class Loops:
    """Named loops, each in a thread; they end only when they are asked to."""

    def __init__(self, loops: Mapping[str, Loop], *, stopping: Event) -> None:
        self.stopping = stopping
        self.threads = [
            Thread(name=name, target=self.keep_running, args=(loop,), daemon=True) for name, loop in loops.items()
        ]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def ask_to_stop(self) -> None:
        """Come to an end after what is at hand."""
        self.stopping.set()

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

    def keep_running(self, loop: Loop) -> None:
        """Run the loop until the end; after any trouble it starts over with fresh connections, a bit later each."""
        pause, may_say = FIRST_RESTART_PAUSE_SECONDS, Every(AWAY_SAID_EVERY_SECONDS)
        while not self.stopping.is_set():
            began = monotonic()
            trouble = run_once(loop)
            if monotonic() - began > MAX_RESTART_PAUSE_SECONDS:
                pause = FIRST_RESTART_PAUSE_SECONDS
            longest = MAX_DATABASE_PAUSE_SECONDS if is_of_database(trouble) else MAX_RESTART_PAUSE_SECONDS
            if trouble and (pause < longest or not is_of_database(trouble) or may_say.is_due()):
                tell(trouble, loop=loop.__name__, again_in=pause)
            self.stopping.wait(min(pause, longest))
            pause = min(pause * 2, longest)


class Every:
    """Says once in a while that it is time; the first time at once."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.last = seconds, float("-inf")

    def is_due(self) -> bool:
        if monotonic() - self.last < self.seconds:
            return False
        self.last = monotonic()
        return True


def run_once(loop: Loop) -> Exception | None:
    """Run the loop to its end or to the first trouble, which is returned: a thread that dies would do so in silence."""
    try:
        loop()
    except Exception as trouble:  # noqa: BLE001  # whatever it was, the loop goes on
        return trouble
    finally:
        connections.close_all()
    return None


def is_of_database(trouble: Exception | None) -> bool:
    """It is away, or refuses: nothing is wrong with the loop."""
    return isinstance(trouble, (DatabaseError, psycopg.Error))


def tell(trouble: Exception, *, loop: str, again_in: float) -> None:
    """The line about a loop that did not come to its end. `again_in`: seconds."""
    if is_of_database(trouble):
        log.warning("loop.interrupted", loop=loop, error=str(trouble).strip(), again_in=again_in)
    else:
        log.error("loop.failed", loop=loop, again_in=again_in, exc_info=trouble)
