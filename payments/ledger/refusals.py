"""Deliveries that were refused, counted: a refusal costs one look-up in memory, however many there are (mission A2).

Each web process counts for itself; a thread of its own adds what was counted to the table, every few seconds at most,
and once more when the process ends. While the database is away the counts wait in memory.
"""

import atexit
import os
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.core.signing import BadSignature, TimestampSigner
from django.db import Error as DatabaseFailure
from django.db import connection

from payments.ledger.models import RefusedDeliveries

log = structlog.get_logger(__name__)
INTERVAL_SECONDS = 5.0
KEPT_FOR = timedelta(days=90)
HINT_MAX_LENGTH = 100
# We ask our own address what it answers to an unsigned delivery: in this header stands that it is us.
PROBE_HEADER, PROBE_MAX_AGE = "X-Webhook-Probe", timedelta(minutes=1)
_probes = TimestampSigner(salt="webhook probe")
# The reasons are ours and few; whatever they were, memory stays bounded.
MAX_ROWS_IN_MEMORY = 1000
TABLE = RefusedDeliveries._meta.db_table
COLUMNS = ("hour", "code", "count", "last_at", "host", "path", "request_id")
ADD = f"""
    WITH old AS (DELETE FROM {TABLE} WHERE hour < %s)
    INSERT INTO {TABLE} AS known ({", ".join(COLUMNS)}) VALUES {{rows}}
    ON CONFLICT (hour, code) DO UPDATE SET
        count = known.count + EXCLUDED.count, last_at = GREATEST(known.last_at, EXCLUDED.last_at),
        host = EXCLUDED.host, path = EXCLUDED.path, request_id = EXCLUDED.request_id
"""


def probe_token() -> str:
    """For the header of a delivery that only asks who answers: its refusal is not counted."""
    return _probes.sign("probe")


def is_probe(token: str) -> bool:
    """Whether this site has just written it."""
    try:
        return bool(token) and _probes.unsign(token, max_age=PROBE_MAX_AGE) == "probe"
    except BadSignature:
        return False


@dataclass(slots=True)
class Refusal:
    """What is known of the refusals of one hour and reason; the hints are the last one's."""

    count: int
    last_at: datetime
    host: str
    path: str
    request_id: str


Counts = dict[tuple[datetime, str], Refusal]


class RefusalCounter:
    """The counts of this process, and the thread that writes them."""

    def __init__(self) -> None:
        self.is_written_in_background = False
        self.begin_anew()

    def begin_anew(self) -> None:
        """Nothing counted, no thread. Also after a fork: what the parent has counted it writes itself."""
        self._counts: Counts = {}
        self._lock = threading.Lock()
        self._something_counted = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def count(self, code: str, *, host: str, path: str, request_id: str, at: datetime) -> None:
        """One more of this hour and reason; costs microseconds, and asks nobody."""
        key = (at.replace(minute=0, second=0, microsecond=0), code)
        with self._lock:
            before = self._counts.get(key)
            if before is None and len(self._counts) >= MAX_ROWS_IN_MEMORY:
                return
            so_far = before.count if before else 0
            self._counts[key] = Refusal(so_far + 1, at, host[:HINT_MAX_LENGTH], path[:HINT_MAX_LENGTH], request_id)
        self._something_counted.set()
        if self.is_written_in_background and self._thread is None:
            self._start_thread()

    def write(self) -> int:
        """Add what was counted to the table, in one statement. Returns how many rows that concerns.

        While the database does not take it, it stays counted.
        """
        counted = self._take()
        if not counted:
            return 0
        try:
            _add(counted)
        except DatabaseFailure as error:
            self._put_back(counted)
            log.warning("refusals.not_written", error=type(error).__name__)
            return 0
        return len(counted)

    def stop(self) -> None:
        """End the thread, and write what it has left."""
        self._stopping.set()
        self._something_counted.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(timeout=INTERVAL_SECONDS)
        self.write()
        connection.close()

    def _take(self) -> Counts:
        with self._lock:
            taken, self._counts = self._counts, {}
        return taken

    def _put_back(self, counted: Counts) -> None:
        with self._lock:
            for key, earlier in counted.items():
                if key in self._counts:
                    self._counts[key].count += earlier.count
                else:
                    self._counts[key] = earlier

    def _start_thread(self) -> None:
        with self._lock:
            if self._thread is not None or self._stopping.is_set():
                return
            self._thread = threading.Thread(target=self._run, name="refusals", daemon=True)
            try:
                self._thread.start()
            except RuntimeError as error:  # the interpreter is going down
                log.warning("refusals.not_started", error=str(error))

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._something_counted.wait()
            self._something_counted.clear()
            self._stopping.wait(INTERVAL_SECONDS)
            self.write()
            # The thread's own: between two storms nobody needs it.
            connection.close()


def _add(counted: Counts) -> None:
    """Sorted, so that two processes wait for each other instead of locking each other out."""
    rows = [
        (hour, code, each.count, each.last_at, each.host, each.path, each.request_id)
        for (hour, code), each in sorted(counted.items(), key=lambda item: item[0])
    ]
    places = ", ".join([f"({', '.join(['%s'] * len(COLUMNS))})"] * len(rows))
    newest = max(each.last_at for each in counted.values())
    with connection.cursor() as cursor:
        cursor.execute(ADD.format(rows=places), [newest - KEPT_FOR, *(value for row in rows for value in row)])


refusals = RefusalCounter()
os.register_at_fork(after_in_child=refusals.begin_anew)


def write_in_background() -> None:
    """For the web server: from the first refusal on a thread writes; the end of the process writes the rest."""
    refusals.is_written_in_background = True
    atexit.register(refusals.stop)
