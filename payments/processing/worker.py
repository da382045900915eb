"""What a worker does all the time, without a broker: it drains the ledger when the bell rings. Beside it runs a process
that delivers effects: a mail takes its time, and would take the interpreter from the drain.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, RLock
from time import monotonic
from typing import IO, Any

import psycopg
import structlog
from celery import bootsteps
from django.conf import settings
from django.db import connection as default_connection
from django.utils import timezone
from psycopg.conninfo import conninfo_to_dict

from payments.bell import CHANNEL
from payments.effects.deliver import ShouldStop
from payments.heartbeats import WORKER, cpu_since_last_time, note_heartbeat
from payments.processing.drain import drain, sweep
from payments.processing.loops import HOUSEKEEPING_SECONDS, Every, Loops
from payments.processing.replay_runs import PAUSE, advance_replay
from payments.tallies import write_in_background

log = structlog.get_logger(__name__)


HEARTBEAT_SECONDS, CPU_SECONDS = 15.0, 60.0


class Worker(Loops):
    """The drain in a thread, and the process beside it."""

    def __init__(self) -> None:
        stopping = Event()
        self.delivery = DeliveryProcess(stopping)
        super().__init__({"drain": self.drain_on_bell, "delivery": self.delivery.watch_delivery}, stopping=stopping)

    def ask_to_stop(self) -> None:
        """Come to an end after the batch and the mail at hand."""
        super().ask_to_stop()
        self.delivery.ask_to_stop()

    def stop(self) -> None:
        super().stop()
        self.delivery.kill()

    def drain_on_bell(self) -> None:
        """Drain what is due: at once when the bell rings, and every few seconds because a ring can get lost."""
        housekeeping, replays = Every(HOUSEKEEPING_SECONDS), Every(PAUSE.total_seconds())
        heartbeat, cpu = Every(HEARTBEAT_SECONDS), Every(CPU_SECONDS)
        with listening() as connection:
            log.info("drain.listening")
            while not self.stopping.is_set():
                if heartbeat.is_due():
                    percent = cpu_since_last_time() if cpu.is_due() else None
                    note_heartbeat(WORKER, at=timezone.now(), cpu_percent=percent)
                    touch_ready_file()
                if housekeeping.is_due():
                    sweep(at=timezone.now())
                if drain(should_stop=self.stopping.is_set):
                    self.delivery.wake()
                # Only what is fresh comes before it: see payments.processing.replay_runs.
                pause = float(settings.SWEEP_SECONDS)
                if replays.is_due() and advance_replay(at=timezone.now()):
                    self.delivery.wake()
                    pause = replays.seconds
                if has_rung(connection, within=pause, should_stop=self.stopping.is_set):
                    self.delivery.wake()


def touch_ready_file() -> None:
    """For whoever looks at the file alone (config/alive.py); it is made elsewhere, when the worker takes tasks."""
    with suppress(FileNotFoundError):
        os.utime(settings.WORKER_READY_FILE)


class DeliveryEnded(RuntimeError):
    """The process that delivers has ended though nobody asked it to."""


class DeliveryProcess:
    """`manage.py deliver_effects --beside-worker`, started and kept by its worker.

    Its standard input is the line between the two: a byte wakes it, and the end, also that of a worker that was killed,
    ends it after the mail at hand.
    """

    COMMAND = (sys.executable, "manage.py", "deliver_effects", "--beside-worker")

    def __init__(self, stopping: Event) -> None:
        self.stopping = stopping
        # Also a signal may ask for the end, in the middle of any of these.
        self._lock = RLock()
        self._process: subprocess.Popen[bytes] | None = None

    def watch_delivery(self) -> None:
        """Start it and stay until it has ended. Raises DeliveryEnded where nobody asked for that."""
        with self._lock:
            if self.stopping.is_set():
                return
            process = subprocess.Popen(self.COMMAND, stdin=subprocess.PIPE, bufsize=0, cwd=settings.BASE_DIR)
            os.set_blocking(self._input_of(process).fileno(), False)
            self._process = process
        code = process.wait()
        self._hang_up()
        if not self.stopping.is_set():
            raise DeliveryEnded(f"with code {code}")

    def wake(self) -> None:
        """There may be something to deliver. Costs microseconds."""
        with self._lock:
            if self._process:
                # Full: it has been woken often enough. Broken: it has ended, and looks by itself when it starts again.
                with suppress(OSError):
                    self._input_of(self._process).write(b"\n")

    def ask_to_stop(self) -> None:
        """No further effect after the one at hand. Called once `stopping` is set.

        A process that still starts has none, and ends at the signal, which it ignores once it delivers.
        """
        with self._lock:
            self._hang_up()
            if self._process:
                self._process.terminate()

    def kill(self) -> None:
        """What takes too long is cut off: the next worker finds it, as after any death."""
        with self._lock:
            if self._process:
                self._process.kill()

    def _hang_up(self) -> None:
        with self._lock:
            if self._process:
                self._input_of(self._process).close()

    @staticmethod
    def _input_of(process: subprocess.Popen[bytes]) -> IO[bytes]:
        assert process.stdin
        return process.stdin


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

    def create(self, parent: Any) -> Worker:  # type: ignore[override] # the stubs say None
        write_in_background()
        return Worker()

    def close(self, parent: Any) -> None:
        """The first word of a stop: the loops come to their end while the other steps still stop."""
        self.obj.ask_to_stop()
