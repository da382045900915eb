"""Counts how verifications went: one statement each, exact under any number of processes."""

import random
from bisect import bisect_left
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

# In milliseconds; what took longer than the last falls into one more bucket.
BOUNDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
BUCKETS = len(BOUNDS) + 1
# Simultaneous counts of one outcome lie in different rows, so that they seldom wait for each other.
SLOTS = 16
KEPT = timedelta(days=400)
# A count belongs to the hour in which the verification began; after so long no more come for it.
CLOSED_AFTER = timedelta(hours=2)
GATHERED_WITHIN = timedelta(days=7)
MOST_GATHERED = 2000

COUNT = """
    INSERT INTO modules_access_tokenchecks AS kept (hour, outcome, slot, number, micros, buckets)
    VALUES (date_trunc('hour', %(at)s, 'UTC'), %(outcome)s, %(slot)s, 1, %(micros)s, %(buckets)s)
    ON CONFLICT (hour, outcome, slot) DO UPDATE SET
        number = kept.number + 1,
        micros = kept.micros + EXCLUDED.micros,
        buckets[%(bucket)s] = COALESCE(kept.buckets[%(bucket)s], 0) + 1
    RETURNING number
"""
# What is old moves into one row of its outcome (hour: 'epoch') instead of going away: the counters of /metrics are
# sums over this table, and Prometheus takes a counter that falls for one that began anew.
GATHER = """
    WITH old AS (
        SELECT id FROM modules_access_tokenchecks
        WHERE (hour < %(closed)s AND hour >= %(recent)s AND slot > 0) OR (hour < %(ended)s AND hour > 'epoch')
        ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM modules_access_tokenchecks USING old WHERE modules_access_tokenchecks.id = old.id
        RETURNING CASE WHEN hour < %(ended)s THEN 'epoch' ELSE hour END AS hour, outcome, number, micros, buckets
    ), sums AS (
        SELECT hour, outcome, sum(number) AS number, sum(micros) AS micros FROM gone GROUP BY hour, outcome
    ), filled AS (
        SELECT hour, outcome, array_agg(total ORDER BY place) AS buckets FROM (
            SELECT hour, outcome, place, sum(value) AS total
            FROM gone, unnest(gone.buckets) WITH ORDINALITY AS bucket(value, place) GROUP BY hour, outcome, place
        ) AS each_bucket GROUP BY hour, outcome
    )
    INSERT INTO modules_access_tokenchecks AS kept (hour, outcome, slot, number, micros, buckets)
    SELECT hour, outcome, 0, sums.number, sums.micros, filled.buckets FROM sums JOIN filled USING (hour, outcome)
    ORDER BY hour, outcome
    ON CONFLICT (hour, outcome, slot) DO UPDATE SET
        number = kept.number + EXCLUDED.number,
        micros = kept.micros + EXCLUDED.micros,
        buckets = ARRAY(
            SELECT COALESCE(kept.buckets[place], 0) + COALESCE(EXCLUDED.buckets[place], 0)
            FROM generate_series(1, GREATEST(cardinality(kept.buckets), cardinality(EXCLUDED.buckets))) AS place
        )
"""


def count_check(*, outcome: str, micros: int, at: datetime) -> None:
    """Count one verification: "ok" or the code of its refusal, and how long it took in microseconds.

    Belongs outside of transactions: others who count the same would wait for their end.
    """
    bucket = bisect_left(BOUNDS, micros / 1000)
    buckets = [0] * BUCKETS
    buckets[bucket] = 1
    slot = random.randrange(SLOTS)
    told: dict[str, Any] = {"at": at, "outcome": outcome, "slot": slot, "micros": micros, "buckets": buckets}
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {**told, "bucket": bucket + 1})
        (number,) = cursor.fetchone()
    if number == 1 and slot == 0:
        gather_old(at=at)


def gather_old(*, at: datetime) -> None:
    """Gather the slots of closed hours in one row, and all that is older than 400 days in one of each outcome.

    Bounded, and at any time: sums stay as they are.
    """
    closed = at - CLOSED_AFTER
    told: dict[str, Any] = {
        "closed": closed,
        "recent": closed - GATHERED_WITHIN,
        "ended": at - KEPT,
        "most": MOST_GATHERED,
    }
    with connection.cursor() as cursor:
        cursor.execute(GATHER, told)
