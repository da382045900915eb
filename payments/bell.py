"""The bell that wakes the workers: a PostgreSQL notification after a commit. A lost one costs but seconds."""

import os
import threading
import time

import psycopg
import structlog
from django.db import connection, transaction

log = structlog.get_logger(__name__)

CHANNEL = "payments_work"
# However many commits there are, PostgreSQL hears of them at most this often (seconds).
RING_INTERVAL_SECONDS = 0.01
RETRY_INTERVAL_SECONDS = 1.0
# A silent database may cost this thread a few seconds, never the minutes that TCP would grant it.
CONNECTION_OPTIONS = {"connect_timeout": 5, "tcp_user_timeout": 5000}


class Bell:
    """One thread and one connection of its own: whoever rings never waits for the database."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """No thread, no connection. Also after a fork: the connection is the parent's, a lock may be held."""
        self._rung = threading.Event()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None
        self._connection: psycopg.Connection | None = None
        self._stopped = False

    def ring(self) -> None:
        """Wake the workers soon; costs microseconds."""
        self._rung.set()
        if self._thread is None or not self._thread.is_alive():
            self._start_thread()

    def stop(self) -> None:
        """End thread and connection; the next ring starts them again."""
        self._stopped = True
        self._rung.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _start_thread(self) -> None:
        with self._start:
            if self._thread is not None and self._thread.is_alive():
                return
            self._stopped = False
            self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
            try:
                self._thread.start()
            except RuntimeError as error:  # the interpreter is going down
                log.warning("bell.not_started", error=str(error))

    def _run(self) -> None:
        while not self._stopped:
            self._rung.wait()
            # Lowered before the notification: a ring from now on gets one of its own, after the pause.
            self._rung.clear()
            time.sleep(RING_INTERVAL_SECONDS if self._notified() else RETRY_INTERVAL_SECONDS)
        self._hang_up()

    def _notified(self) -> bool:
        """Tell PostgreSQL; where the connection has died meanwhile, a new one gets the second try."""
        was_open = self._connection is not None
        return self._try_to_notify(last=not was_open) or (was_open and self._try_to_notify(last=True))

    def _try_to_notify(self, *, last: bool) -> bool:
        try:
            if self._connection is None:
                self._connection = connect()
            self._connection.execute(f"NOTIFY {CHANNEL}")
        except (psycopg.Error, OSError) as error:
            self._hang_up()
            log.warning("bell.failed", error=type(error).__name__, trying_again=not last)
            return False
        return True

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def connect() -> psycopg.Connection:
    """A connection of the bell's own, to Django's database, each statement its own transaction."""
    params = CONNECTION_OPTIONS | connection.get_connection_params()
    return psycopg.connect(**params, autocommit=True)


_bell = Bell()


def ring() -> None:
    """Wake the workers. Call it after the commit: before it they would look and find nothing."""
    _bell.ring()


def ring_on_commit() -> None:
    """Wake the workers once the current transaction is there for them to see; at once where there is none."""
    transaction.on_commit(ring, robust=True)


def stop() -> None:
    """Close this process's connection (a test database can't be dropped while somebody is connected)."""
    _bell.stop()


os.register_at_fork(after_in_child=_bell.begin_anew)
