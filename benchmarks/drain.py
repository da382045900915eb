"""How fast two worker processes empty a long queue: our drain, and Celery with a task for each event.

The queue holds all that Stripe tells of many orders: paid, declined and paid, expired, refunded. State, history,
places, mails and marks are all written. It is filled in one transaction while the workers already wait.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from secrets import token_hex

from celery import Celery
from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from benchmarks.measure import Figures, NotClean, Size, cost_of, family, megabytes
from benchmarks.sites import PRODUCTION, beside_us, broker
from benchmarks.world import EVENTS_PER_ORDER, clear, ledger_row, make_registrations, mixed_events, settle
from payments import bell
from payments.ledger.models import EventAttempt, PaymentEvent
from payments.statuses import EventStatus
from tests.support.processes import Process, running, running_worker, wait_until

PROCESSES = 2
# Who needs longer is measured by what was done until then.
MOST_SECONDS = 90.0
LOOK_SECONDS = 0.05
OURS, TASKS = "our drain", "a task for each event"
QUEUE, NO_QUEUE = "celery", "nothing"
# Whether something is due, by the queue's own index, and how many rows the history has got: both cost nothing.
LOOK = f"""
    SELECT EXISTS (SELECT FROM {PaymentEvent._meta.db_table}
                   WHERE status IN ('RECEIVED', 'FAILED') AND next_attempt_at <= now()),
           (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {EventAttempt._meta.db_table}_id_seq)
"""


@dataclass(frozen=True)
class Workers:
    """Processes that wait for work, and what else is busy beside them.

    `queue`: what an event needs besides its row; `begin`: what tells them that there is work.
    """

    processes: list[Process]
    begin: Callable[[], object]
    queue: Callable[[str], object] = str
    beside: tuple[Process, ...] = ()

    @property
    def roots(self) -> list[int]:
        return [process.popen.pid for process in (*self.processes, *self.beside)]

    def busy(self) -> list[int]:
        """The processes that do the work, and those that keep them."""
        return [pid for process in self.processes for pid in family(process.popen.pid)]


Start = Callable[[Path], AbstractContextManager[Workers]]


def variants(size: Size) -> dict[str, Callable[[], Figures]]:
    """What is measured side by side."""
    return {OURS: partial(measure, our_workers, size.events), TASKS: partial(measure, task_workers, size.events)}


@contextmanager
def our_workers(place: Path, *, processes: int = PROCESSES) -> Iterator[Workers]:
    """Workers as production runs them; their loops need no broker."""
    with ExitStack() as stack:
        workers = []
        for number in range(processes):
            folder = place / f"worker{number}"
            folder.mkdir()
            told = {**PRODUCTION, "VAR_DIR": str(folder)}
            workers.append(stack.enter_context(running_worker(folder, **told)))
            workers[-1].wait_for("delivery.listening")
        yield Workers(workers, begin=bell.ring)


@contextmanager
def task_workers(place: Path) -> Iterator[Workers]:
    """One Celery worker with two child processes and its broker. It takes no task before it is told to."""
    with broker(place) as (redis, url), running_tasks(place, url, queue=NO_QUEUE) as worker, Celery(broker=url) as app:
        yield Workers(
            [worker],
            begin=lambda: app.control.add_consumer(QUEUE),
            queue=lambda event: app.send_task("apply_event", args=[event]),
            beside=(redis,),
        )


@contextmanager
def running_tasks(place: Path, url: str, *, queue: str = QUEUE) -> Iterator[Process]:
    """The worker of the tasks, from when it listens on."""
    ready = place / "ready"
    told = {**PRODUCTION, "CELERY_BROKER_URL": url, "VAR_DIR": str(place), "WORKER_READY_FILE": str(ready)}
    celery = (sys.executable, "-m", "celery", "-A", "one_task_per_event.tasks", "worker", "--pool", "prefork")
    command = (*celery, "--concurrency", str(PROCESSES), "-Q", queue)
    with running(*command, log=place / "tasks.log", environment=beside_us(told)) as worker:
        wait_until(ready.exists, or_show=lambda: worker.output)
        yield worker


def measure(start: Start, count: int) -> Figures:
    """Fill the queue, let them begin, and look on until it is empty."""
    clear()
    with tempfile.TemporaryDirectory() as place, start(Path(place)) as workers:
        with transaction.atomic():
            for event in fill(count):
                workers.queue(event)
            settle()
        with cost_of(*workers.roots) as cost:
            progress = [(time.perf_counter(), 0)]
            workers.begin()
            progress += watch(until=progress[0][0] + MOST_SECONDS)
        must_be_processed()
        done = progress[-1][1]
        return {
            "rate": speed(progress, 0.0, 1.0),
            **cost.per(done),
            "megabytes": megabytes(*workers.busy()),
            "last_first": speed(progress, 0.75, 1.0) / speed(progress, 0.0, 0.25),
        }


def fill(count: int) -> list[str]:
    """Put so many events about orders that wait for payment into the ledger. Returns their ids."""
    now = timezone.now()
    rows = make_registrations(round(count / EVENTS_PER_ORDER) + 1, activities=20, at=now, prefix=token_hex(4))
    events = list(islice(mixed_events(rows, at=now), count))
    PaymentEvent.objects.bulk_create((ledger_row(event, at=now) for event in events), batch_size=1000)
    return [event["id"] for event in events]


def watch(*, until: float) -> list[tuple[float, int]]:
    """How many tries there were at which moment, to the moment in which nothing is due any more."""
    progress, is_open = [], True
    with connection.cursor() as cursor:
        while is_open and time.perf_counter() < until:
            time.sleep(LOOK_SECONDS)
            cursor.execute(LOOK)
            is_open, done = cursor.fetchone()
            progress.append((time.perf_counter(), done))
    return progress


def must_be_processed() -> None:
    """Raises NotClean if something has failed, or moved nothing."""
    strays = PaymentEvent.objects.exclude(status__in=(EventStatus.PROCESSED, EventStatus.RECEIVED))
    if found := dict(strays.values_list("status").annotate(Count("pk"))):
        raise NotClean(f"events that were not processed: {found}")


def speed(progress: list[tuple[float, int]], first: float, last: float) -> float:
    """Events per second from this part of all that was done to that one."""
    total = progress[-1][1]
    begun, ended = (next(moment for moment in progress if moment[1] >= part * total) for part in (first, last))
    return (ended[1] - begun[1]) / max(ended[0] - begun[0], LOOK_SECONDS)
