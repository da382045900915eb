from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from modules_access.counting import BUCKETS, KEPT, SLOTS, count_check, gather_old
from modules_access.models import TokenChecks
from tests.support.factories import NOON

DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rows():
    found = TokenChecks.objects.order_by("hour", "outcome", "slot")
    return [(row.hour, row.outcome, row.slot, row.number, row.micros, tuple(row.buckets)) for row in found]


def in_buckets(**counts):
    """`in_buckets(_0=2)`: two in the first."""
    return tuple(counts.get(f"_{place}", 0) for place in range(BUCKETS))


def keep(hour, slot=0, outcome="ok", number=1, micros=10, buckets=None):
    TokenChecks.objects.create(
        hour=hour, outcome=outcome, slot=slot, number=number, micros=micros, buckets=buckets or in_buckets(_0=number)
    )


@pytest.fixture
def one_slot(monkeypatch):
    monkeypatch.setattr("modules_access.counting.random.randrange", lambda _stop: 0)


@pytest.mark.django_db
class TestCountCheck:
    @pytest.mark.parametrize(
        ("micros", "place"), [(0, 0), (1000, 0), (1001, 1), (2000, 1), (1_000_000, 9), (1_000_001, 10), (10**9, 10)]
    )
    def test_puts_it_into_the_bucket_of_its_time(self, one_slot, micros, place):
        count_check(outcome="ok", micros=micros, at=NOON + timedelta(minutes=59))

        assert rows() == [(NOON, "ok", 0, 1, micros, in_buckets(**{f"_{place}": 1}))]

    def test_adds_up_by_hour_and_outcome(self, one_slot):
        for micros, minute in ((500, 0), (1500, 30), (700, 60)):
            count_check(outcome="ok", micros=micros, at=NOON + timedelta(minutes=minute))
        count_check(outcome="expired", micros=300, at=NOON)

        assert rows() == [
            (NOON, "expired", 0, 1, 300, in_buckets(_0=1)),
            (NOON, "ok", 0, 2, 2000, in_buckets(_0=1, _1=1)),
            (NOON + timedelta(hours=1), "ok", 0, 1, 700, in_buckets(_0=1)),
        ]

    def test_goes_on_with_a_row_of_fewer_buckets(self, one_slot):
        keep(NOON, buckets=(1,))

        count_check(outcome="ok", micros=1500, at=NOON)

        assert rows()[0][5] == (1, 1)

    def test_tidies_up_when_an_hour_begins(self, one_slot):
        keep(NOON - KEPT - DAY)

        count_check(outcome="ok", micros=1, at=NOON)

        assert [row[0] for row in rows()] == [EPOCH, NOON]


@pytest.mark.django_db(transaction=True)
class TestCountCheckTogether:
    def test_loses_nothing_when_many_count_at_once(self):
        def count_many(_worker):
            for turn in range(50):
                count_check(outcome="ok", micros=1500 if turn % 2 else 500, at=NOON)
            connection.close()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(count_many, range(8)))

        kept = rows()
        assert sum(row[3] for row in kept) == 400
        assert sum(row[4] for row in kept) == 400 * 1000
        assert [sum(column) for column in zip(*(row[5] for row in kept), strict=True)][:2] == [200, 200]
        assert {row[2] for row in kept} <= set(range(SLOTS))

    def test_loses_nothing_while_others_tidy_up(self):
        for slot in range(SLOTS):
            keep(NOON - timedelta(hours=5), slot=slot)
            keep(NOON - KEPT - DAY, slot=slot)

        def tidy(_worker):
            gather_old(at=NOON)
            connection.close()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(tidy, range(4)))

        gather_old(at=NOON)
        assert [(row[0], row[3]) for row in rows()] == [(EPOCH, SLOTS), (NOON - timedelta(hours=5), SLOTS)]


@pytest.mark.django_db
class TestGatherOld:
    def test_gathers_the_slots_of_closed_hours(self):
        closed = NOON - timedelta(hours=3)
        keep(closed, 0, buckets=in_buckets(_0=1))
        keep(closed, 3, micros=1500, buckets=in_buckets(_1=1))
        keep(closed, 4, micros=1500, buckets=in_buckets(_1=1))
        keep(closed, 5, "expired")
        keep(NOON, 7)

        gather_old(at=NOON)

        assert rows() == [
            (closed, "expired", 0, 1, 10, in_buckets(_0=1)),
            (closed, "ok", 0, 3, 3010, in_buckets(_0=1, _1=2)),
            (NOON, "ok", 7, 1, 10, in_buckets(_0=1)),
        ]

    def test_keeps_the_sums_of_what_is_too_old(self):
        keep(EPOCH, number=5)
        keep(NOON - KEPT - DAY, 2, number=2)
        keep(NOON - KEPT - 2 * DAY, number=3)
        keep(NOON - KEPT, number=7)

        gather_old(at=NOON)
        gather_old(at=NOON)

        assert [(row[0], row[3], row[5][0]) for row in rows()] == [(EPOCH, 10, 10), (NOON - KEPT, 7, 7)]

    def test_does_so_much_at_a_time(self, monkeypatch):
        monkeypatch.setattr("modules_access.counting.MOST_GATHERED", 2)
        for days in range(1, 4):
            keep(NOON - KEPT - days * DAY)

        gather_old(at=NOON)

        assert [row[3] for row in rows()] == [2, 1]
