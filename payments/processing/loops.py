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
        pause = FIRST_RESTART_PAUSE_SECONDS
        while not self.stopping.is_set():
            began = monotonic()
            run_once(loop, again_in=pause)
            if monotonic() - began > MAX_RESTART_PAUSE_SECONDS:
                pause = FIRST_RESTART_PAUSE_SECONDS
            self.stopping.wait(pause)
            pause = min(pause * 2, MAX_RESTART_PAUSE_SECONDS)


class Every:
    """Says once in a while that it is time; the first time at once."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.last = seconds, float("-inf")

    def is_due(self) -> bool:
        if monotonic() - self.last < self.seconds:
            return False
        self.last = monotonic()
        return True


def run_once(loop: Loop, *, again_in: float) -> None:
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
