"""Which processes live, and how busy their machines are: each writes a row of its own every few seconds."""

import socket
from datetime import datetime, timedelta
from typing import Any

import psutil
from django.db import connection, models
from django.utils.translation import gettext_lazy as _

# Workers, the timetable, and who watches (payments.alerts).
WORKER, BEAT, WATCH = "worker", "beat", "watch"
# How long one that lives may say nothing: it writes every 15 seconds, the timetable's ticks come every 30.
LOST_AFTER = timedelta(minutes=3)
FORGOTTEN_AFTER = timedelta(days=1)
# Document 00: watched above 80 %, and all well again below 50 %.
BUSY_PERCENT, CALM_PERCENT = 80.0, 50.0


class Heartbeat(models.Model):
    """The last sign of life of one kind of process on one machine, and the first.

    `cpu_percent`: how busy its cores were, all together, over the last minute. `busy_since`: when they went above
    BUSY_PERCENT, until they are below CALM_PERCENT.
    """

    name = models.CharField(max_length=20)
    host = models.CharField(max_length=100)
    at = models.DateTimeField()
    first_at = models.DateTimeField()
    cpu_percent = models.FloatField(null=True)
    busy_since = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["name", "host"], name="heartbeat_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.host} {self.at:%Y-%m-%d %H:%M:%S}"


TABLE = Heartbeat._meta.db_table
BEAT_SQL = f"""
    WITH old AS (DELETE FROM {TABLE} WHERE at < %(forgotten)s AND (name, host) <> (%(name)s, %(host)s))
    INSERT INTO {TABLE} AS known (name, host, at, first_at, cpu_percent, busy_since)
    VALUES (
        %(name)s, %(host)s, %(at)s, %(at)s, %(cpu)s, CASE WHEN %(cpu)s > {BUSY_PERCENT} THEN %(at)s::timestamptz END
    )
    ON CONFLICT (name, host) DO UPDATE SET
        at = EXCLUDED.at,
        cpu_percent = COALESCE(EXCLUDED.cpu_percent, known.cpu_percent),
        busy_since = CASE
            WHEN EXCLUDED.cpu_percent > {BUSY_PERCENT} THEN COALESCE(known.busy_since, EXCLUDED.at)
            WHEN EXCLUDED.cpu_percent < {CALM_PERCENT} THEN NULL
            ELSE known.busy_since
        END
"""


def note_heartbeat(name: str, *, at: datetime, cpu_percent: float | None = None) -> None:
    """Say that this process lives. `cpu_percent` None: not measured this time."""
    told: dict[str, Any] = {"name": name, "host": socket.gethostname()[:100], "at": at, "cpu": cpu_percent}
    with connection.cursor() as cursor:
        cursor.execute(BEAT_SQL, {**told, "forgotten": at - FORGOTTEN_AFTER})


class Processors:
    """How busy those of this machine were since this process asked last, in percent; None the first time."""

    has_begun = False

    def __call__(self) -> float | None:
        percent, is_first = float(psutil.cpu_percent(interval=None)), not self.has_begun
        self.has_begun = True
        return None if is_first else percent


cpu_since_last_time = Processors()


def last_heartbeats() -> dict[str, datetime]:
    """When a process of each kind has last been alive, on any machine."""
    newest = Heartbeat.objects.values_list("name").annotate(last=models.Max("at"))
    return dict(newest.order_by())
