"""How often something happened and how long it took, since the beginning: calls to Stripe and answers of this site.

Whoever does such a thing appends a line to `config.seen`; a thread of the process adds up the lines and writes them to
the table every few seconds. `/metrics` reads the table, so its counters are the same whichever process answers.
"""

import atexit
import time
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Thread

import structlog
from django.contrib.postgres.fields import ArrayField
from django.db import Error as DatabaseFailure
from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.seen import seen

log = structlog.get_logger(__name__)
INTERVAL_SECONDS = 5.0

# Milliseconds; what took longer than the last falls into one more bucket.
BOUNDS_MS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)


class Tally(models.Model):
    """All that happened under one label. `micros`: how long that took; `buckets`: by BOUNDS_MS, then the rest.

    `in_hour`: how often it happened in the hour that began at `hour`, the last in which it did.
    """

    what = models.CharField(max_length=20)
    label = models.CharField(max_length=60)
    count = models.BigIntegerField()
    micros = models.BigIntegerField()
    buckets = ArrayField(models.BigIntegerField())
    hour = models.DateTimeField()
    in_hour = models.BigIntegerField()

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["what", "label"], name="tally_once")]

    def __str__(self) -> str:
        return f"{self.what} {self.label}: {self.count}"


@dataclass(frozen=True, slots=True)
class Times:
    """What was counted of one label."""

    count: int
    micros: int
    buckets: tuple[int, ...]

    def __add__(self, other: "Times") -> "Times":
        buckets = tuple(map(sum, zip(self.buckets, other.buckets, strict=True)))
        return Times(self.count + other.count, self.micros + other.micros, buckets)


Key = tuple[str, str]
TABLE = Tally._meta.db_table
ADD = f"""
    INSERT INTO {TABLE} AS kept (what, label, count, micros, buckets, hour, in_hour) VALUES {{rows}}
    ON CONFLICT (what, label) DO UPDATE SET
        count = kept.count + EXCLUDED.count, micros = kept.micros + EXCLUDED.micros,
        buckets = ARRAY(SELECT a + b FROM unnest(kept.buckets, EXCLUDED.buckets) AS pair(a, b)),
        hour = EXCLUDED.hour,
        in_hour = EXCLUDED.in_hour + CASE WHEN kept.hour = EXCLUDED.hour THEN kept.in_hour ELSE 0 END
"""


def save(counted: Mapping[Key, Times], *, at: datetime) -> None:
    """Sorted, so that two processes wait for each other instead of locking each other out."""
    rows = [
        (what, label, each.count, each.micros, list(each.buckets), hour_of(at), each.count)
        for (what, label), each in sorted(counted.items())
    ]
    with connection.cursor() as cursor:
        places = ", ".join(["(%s, %s, %s, %s, %s::bigint[], %s, %s)"] * len(rows))
        cursor.execute(ADD.format(rows=places), [value for row in rows for value in row])


# What the database has not taken yet.
_left: dict[Key, Times] = {}


def hour_of(moment: datetime) -> datetime:
    """The beginning of its hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def write(*, at: datetime) -> int:
    """Add what was seen to the table. Returns under how many labels; what the database refuses waits for the next."""
    while seen:
        what, label, seconds = seen.popleft()
        once = _once(seconds)
        _left[what, label] = _left[what, label] + once if (what, label) in _left else once
    if not _left:
        return 0
    try:
        save(_left, at=at)
    except DatabaseFailure as error:
        log.warning("tallies.not_written", error=type(error).__name__)
        return 0
    written = len(_left)
    _left.clear()
    return written


def _once(seconds: float) -> Times:
    place = bisect_left(BOUNDS_MS, seconds * 1000)
    return Times(1, round(seconds * 1_000_000), tuple(int(number == place) for number in range(len(BOUNDS_MS) + 1)))


def write_in_background() -> None:
    """For servers and workers, once they are forked: a thread writes; the end of the process writes the rest."""
    Thread(target=_keep_writing, name="tallies", daemon=True).start()
    atexit.register(lambda: write(at=timezone.now()))


def _keep_writing() -> None:
    while True:
        time.sleep(INTERVAL_SECONDS)
        if write(at=timezone.now()):
            # The thread's own: most of the time nobody needs it.
            connection.close()
