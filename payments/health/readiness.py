"""What this site needs to work, checked now: each with a sentence, and what to do where it is not as it should be.

Only what keeps the web server from doing its work makes it unready. Everything else (a worker that stands still, a
timetable that has stopped, a queue that grows) is told, but must not take the site from the network: deliveries are
received and kept meanwhile, and nothing is lost.
"""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.functional import Promise
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from config.health import REASONS, require_ready
from payments.figures.period import BACKLOG_COUNTED, BACKLOG_WAITS_TOO_LONG, Now, read_now
from payments.heartbeats import BEAT, LOST_AFTER, WORKER, Heartbeat

BROKER_SECONDS = 1.0
# Whose signs of life are read.
MACHINES = 200
# However often somebody asks, the broker is asked once in so many seconds by each process.
BROKER_ASKED_EVERY = 10.0
PORTS = {"redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671}
NEEDED = {
    "database": (gettext_lazy("Database"), gettext_lazy("Start PostgreSQL, and see that DATABASE_URL names it.")),
    "migrations": (gettext_lazy("Migrations"), gettext_lazy("Run: manage.py migrate")),
    "counters": (
        gettext_lazy("Counters of the limits"),
        gettext_lazy("Start Redis, and see that REDIS_URL names it; without REDIS_URL they lie in the database."),
    ),
}


class CheckState(StrEnum):
    """OK, something to look at, and what keeps the site from working."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `says`: one sentence; `remedy`: what to do, "" where all is well."""

    name: str
    title: str | Promise
    state: CheckState
    says: str
    remedy: str | Promise = ""

    @property
    def is_well(self) -> bool:
        return self.state == CheckState.OK

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {"name": self.name, "state": self.state, "says": self.says, "remedy": str(self.remedy)}


@dataclass(frozen=True, slots=True)
class Work:
    """How what works in the background stands: points of the indexes, and the signs of life."""

    now: Now
    heartbeats: list[Heartbeat]

    @classmethod
    def read(cls, *, at: datetime) -> "Work":
        return cls(read_now(at=at), list(Heartbeat.objects.order_by("name", "host")[:MACHINES]))

    def last_sign_of(self, name: str) -> datetime | None:
        return max((each.at for each in self.heartbeats if each.name == name), default=None)

    def first_sign_of(self, name: str) -> datetime | None:
        return min((each.first_at for each in self.heartbeats if each.name == name), default=None)


def check_all(*, at: datetime) -> list[Check]:
    """Everything, what the site cannot do without first. Where the database is away nothing behind it is looked at."""
    needed = check_needed(at=at)
    return needed if not needed[-1].is_well else [*needed, *check_work(Work.read(at=at), at=at)]


def check_needed(*, at: datetime) -> list[Check]:
    """What the site cannot do without; of what is missing the first alone."""
    try:
        require_ready(at=at)
    except tuple(REASONS) as error:
        name = next(word for kind, word in REASONS.items() if isinstance(error, kind))
        title, remedy = NEEDED[name]
        says = _("Some are missing.") if name == "migrations" else _("It does not answer.")
        return [Check(name, title, CheckState.FAULT, says, remedy)]
    return [Check(name, title, CheckState.OK, _("All is well.")) for name, (title, _remedy) in NEEDED.items()]


def check_work(work: Work, *, at: datetime) -> Iterator[Check]:
    """What works in the background."""
    yield _check_broker()
    yield _check_life(
        WORKER, gettext_lazy("Worker"), work, since=None, at=at,
        remedy=gettext_lazy("Start a worker: celery -A config worker. Until then events are kept, and wait."),
    )  # fmt: skip
    yield _check_life(
        BEAT, gettext_lazy("Timetable"), work, since=work.first_sign_of(WORKER), at=at,
        remedy=gettext_lazy("Start it: celery -A config beat. See that it, broker and worker reach each other."),
    )  # fmt: skip
    yield _check_backlog(work.now, at=at)


def _check_life(
    name: str, title: str | Promise, work: Work, *, since: datetime | None, at: datetime, remedy: str | Promise
) -> Check:  # fmt: skip
    """`since`: when it can have begun to live, which takes it a moment."""
    last = work.last_sign_of(name)
    if last is None and since and at - since <= LOST_AFTER:
        return Check(name, title, CheckState.OK, _("It has only just been started."))
    if last is None:
        return Check(name, title, CheckState.WARNING, _("It has never given a sign of life."), remedy)
    if at - last > LOST_AFTER:
        says = _("No sign of life for %(age)s.") % {"age": timesince(last, at)}
        return Check(name, title, CheckState.WARNING, says, remedy)
    return Check(name, title, CheckState.OK, _("It lives."))


def _check_backlog(now: Now, *, at: datetime) -> Check:
    title = pgettext_lazy("events that wait", "Queue")
    if now.oldest_due is None:
        return Check("backlog", title, CheckState.OK, _("No event waits."))
    more = "+" if now.backlog > BACKLOG_COUNTED else ""
    told = {"count": f"{min(now.backlog, BACKLOG_COUNTED)}{more}", "age": timesince(now.oldest_due, at)}
    says = _("%(count)s events wait, the oldest for %(age)s.") % told
    if at - now.oldest_due <= BACKLOG_WAITS_TOO_LONG:
        return Check("backlog", title, CheckState.OK, says)
    remedy = gettext_lazy("See whether a worker runs and what it logs; another worker takes its share at once.")
    return Check("backlog", title, CheckState.WARNING, says, remedy)


def _check_broker() -> Check:
    title = gettext_lazy("Broker")
    if broker_answers(now=time.monotonic()):
        return Check("broker", title, CheckState.OK, _("All is well."))
    remedy = gettext_lazy(
        "Start it, and see that CELERY_BROKER_URL names it. Events are processed all the same; what the timetable does "
        "waits."
    )
    return Check("broker", title, CheckState.WARNING, _("It does not answer."), remedy)


def _ask_broker() -> bool:
    """Whether something listens there; whether it does its work the timetable's signs of life tell."""
    where = urlsplit(settings.CELERY_BROKER_URL)
    if not where.hostname:
        return True  # files
    try:
        socket.create_connection((where.hostname, where.port or PORTS.get(where.scheme, 0)), BROKER_SECONDS).close()
    except OSError:
        return False
    return True


class _Remembered:
    """An answer that holds for a while."""

    def __init__(self, ask: Callable[[], bool], *, seconds: float) -> None:
        self.ask, self.seconds = ask, seconds
        self.answer, self.asked_at = False, float("-inf")

    def __call__(self, *, now: float) -> bool:
        if now - self.asked_at > self.seconds:
            self.answer, self.asked_at = self.ask(), now
        return self.answer


broker_answers = _Remembered(_ask_broker, seconds=BROKER_ASKED_EVERY)
