from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from config.metrics import Measured
from modules_access.figures import (
    BUCKET_COUNT,
    EPOCH,
    HOUR,
    HOURS_KEPT_FOR,
    SLOT_COUNT,
    OutcomeFigures,
    accesses,
    clear_caches,
    count_check,
    gather_old,
    quantile,
    read_figures,
    read_outcomes,
    verifications,
)
from modules_access.models import AccessToken, TokenChecks
from modules_access.services.grants import revoke_access
from tests.support.factories import NOON
from tests.support.modules import give_back, make_buyer, make_grant, make_learner, make_module, make_token

DAY = timedelta(days=1)


def read(since=NOON, until=NOON + DAY):
    return read_figures(since=since, until=until)


@pytest.mark.django_db
class TestReadFigures:
    def test_counts_what_was_created_in_the_period_by_source(self):
        module, learner = make_module(), make_learner()
        make_grant(learner, module, at=NOON - HOUR)
        make_grant(learner, module, at=NOON)
        make_token(learner, module, at=NOON + HOUR)
        make_grant(learner, module, at=NOON + DAY)

        assert read().created == {"purchase": 0, "token": 1, "subscription": 0, "grant": 1}

    def test_counts_what_was_withdrawn_by_source_and_reason(self):
        module, learner = make_module(), make_learner()
        purchase = make_buyer(learner, module)
        give_back(purchase.order)
        given = make_grant(learner, module)
        revoke_access(access=given, reason="a test", by="staff", at=NOON + 2 * DAY)

        assert read().withdrawn == {"purchase": {"refunded": 1}, "token": {}, "subscription": {}, "grant": {}}

    def test_tells_verifications_and_refusals_by_reason(self):
        for outcome, number in (("ok", 3), ("expired", 2), ("revoked", 1)):
            for _ in range(number):
                count_check(outcome=outcome, micros=1500, at=NOON + HOUR)
        count_check(outcome="ok", micros=1500, at=NOON + DAY)

        figures = read()

        assert (figures.verified, figures.refused) == (3, {"expired": 2, "revoked": 1})
        assert (figures.median, figures.p95) == (1.5, pytest.approx(1.95))

    def test_says_nothing_where_nothing_was_verified(self):
        figures = read()

        assert (figures.verified, figures.refused, figures.median, figures.p95) == (0, {}, None, None)

    def test_takes_three_queries(self):
        with CaptureQueriesContext(connection) as queries:
            read()

        assert len(queries) == 3


@pytest.mark.django_db
class TestReadVerified:
    def test_gathers_slots_and_hours(self):
        for slot, hour in ((0, NOON), (1, NOON), (0, NOON + HOUR)):
            TokenChecks.objects.create(
                hour=hour, outcome="ok", slot=slot, number=2, micros=3000, buckets=[1, 1, *[0] * 9]
            )

        assert read_outcomes(since=NOON, until=NOON + DAY) == [OutcomeFigures("ok", 6, 9000, (3, 3, *[0] * 9))]

    def test_counts_the_hour_whole_in_which_it_begins(self):
        count_check(outcome="ok", micros=1, at=NOON)
        count_check(outcome="ok", micros=1, at=NOON - HOUR)

        (found,) = read_outcomes(since=NOON + HOUR / 2, until=NOON + DAY)

        assert found.number == 1


class TestQuantile:
    @pytest.mark.parametrize(
        ("buckets", "share", "milliseconds"),
        [
            ([4, *[0] * 10], 0.5, 0.5),
            ([0, 0, 10, *[0] * 8], 0.5, 3.5),
            ([50, 0, 0, 50, *[0] * 7], 0.5, 1),
            ([50, 0, 0, 50, *[0] * 7], 0.95, 9.5),
            ([0] * 10 + [3], 0.95, 1000),
            ([0] * 11, 0.5, None),
            ([], 0.5, None),
        ],
    )
    def test_is_estimated_within_its_bucket(self, buckets, share, milliseconds):
        assert quantile(buckets, share) == (milliseconds if milliseconds is None else pytest.approx(milliseconds))


def rows():
    found = TokenChecks.objects.order_by("hour", "outcome", "slot")
    return [(row.hour, row.outcome, row.slot, row.number, row.micros, tuple(row.buckets)) for row in found]


def in_buckets(**counts):
    """`in_buckets(_0=2)`: two in the first."""
    return tuple(counts.get(f"_{place}", 0) for place in range(BUCKET_COUNT))


def keep(hour, slot=0, outcome="ok", number=1, micros=10, buckets=None):
    TokenChecks.objects.create(
        hour=hour, outcome=outcome, slot=slot, number=number, micros=micros, buckets=buckets or in_buckets(_0=number)
    )


@pytest.fixture
def one_slot(monkeypatch):
    monkeypatch.setattr("modules_access.figures.random.randrange", lambda _stop: 0)


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
        keep(NOON - HOURS_KEPT_FOR - DAY)

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
        assert {row[2] for row in kept} <= set(range(SLOT_COUNT))

    def test_loses_nothing_while_others_tidy_up(self):
        for slot in range(SLOT_COUNT):
            keep(NOON - timedelta(hours=5), slot=slot)
            keep(NOON - HOURS_KEPT_FOR - DAY, slot=slot)

        def tidy(_worker):
            gather_old(at=NOON)
            connection.close()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(tidy, range(4)))

        gather_old(at=NOON)
        assert [(row[0], row[3]) for row in rows()] == [(EPOCH, SLOT_COUNT), (NOON - timedelta(hours=5), SLOT_COUNT)]


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
        keep(NOON - HOURS_KEPT_FOR - DAY, 2, number=2)
        keep(NOON - HOURS_KEPT_FOR - 2 * DAY, number=3)
        keep(NOON - HOURS_KEPT_FOR, number=7)

        gather_old(at=NOON)
        gather_old(at=NOON)

        assert [(row[0], row[3], row[5][0]) for row in rows()] == [(EPOCH, 10, 10), (NOON - HOURS_KEPT_FOR, 7, 7)]

    def test_does_so_much_at_a_time(self, monkeypatch):
        monkeypatch.setattr("modules_access.figures.MAX_ROWS_GATHERED", 2)
        for days in range(1, 4):
            keep(NOON - HOURS_KEPT_FOR - days * DAY)

        gather_old(at=NOON)

        assert [row[3] for row in rows()] == [2, 1]


@pytest.fixture(autouse=True)
def _nothing_remembered():
    clear_caches()
    yield
    clear_caches()


def scrape(at=NOON):
    """Every sample by name and labels, as a scraper would read it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Measured(at))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.mark.django_db
class TestAccesses:
    def test_counts_what_was_given_by_source(self, module, learner):
        make_grant(learner, module, at=NOON - 3 * DAY)
        make_grant(learner, module)
        make_token(learner, module)

        found = scrape()

        assert found["module_accesses_created_total", "grant"] == 2
        assert found["module_accesses_created_total", "token"] == 1
        assert found["module_accesses_created_total", "purchase"] == 0

    def test_counts_what_lets_somebody_in_now(self, module, learner):
        make_grant(learner, module, expires_at=NOON + HOUR)
        make_grant(learner, module)
        make_token(learner, module)
        AccessToken.objects.filter(pk=make_token(learner, module).pk).update(used=100)

        before, after = scrape(), scrape(at=NOON + HOUR)

        assert before["module_accesses_active", "grant"] == 2
        assert after["module_accesses_active", "grant"] == 1
        assert after["module_accesses_active", "token"] == 1
        assert after["module_accesses_active", "subscription"] == 0

    def test_counts_what_is_withdrawn_by_source_and_reason(self, module, learner):
        give_back(make_buyer(learner, module).order)
        revoke_access(access=make_grant(learner, module), reason="a test", by="staff", at=NOON)

        found = scrape()

        assert found["module_accesses_withdrawn", "refunded", "purchase"] == 1
        assert found["module_accesses_withdrawn", "revoked", "grant"] == 1

    def test_sees_what_was_given_a_moment_ago(self, module, learner):
        scrape()

        make_grant(learner, module)

        assert scrape()["module_accesses_created_total", "grant"] == 1


@pytest.mark.django_db
class TestVerifications:
    def test_counts_by_outcome_and_never_loses_any(self):
        ages = (500 * DAY, 3 * HOUR, HOUR, HOUR * 0)
        for age in ages:
            count_check(outcome="ok", micros=1500, at=NOON - age)
        count_check(outcome="expired", micros=1500, at=NOON)
        found = scrape()

        gather_old(at=NOON)
        clear_caches()

        assert found["module_token_verifications_total", "ok"] == 4
        assert found["module_token_verifications_total", "expired"] == 1
        assert scrape() == found

    def test_tells_how_long_they_took(self):
        for micros in (500, 1500, 1500, 2_000_000):
            count_check(outcome="ok", micros=micros, at=NOON)

        found = scrape()

        assert found["module_token_verify_seconds_bucket", "0.001"] == 1
        assert found["module_token_verify_seconds_bucket", "0.002"] == 3
        assert found["module_token_verify_seconds_bucket", "1.0"] == 3
        assert found["module_token_verify_seconds_bucket", "+Inf"] == 4
        assert found["module_token_verify_seconds_count",] == 4
        assert found["module_token_verify_seconds_sum",] == pytest.approx(2.0035)

    def test_has_a_histogram_before_anything_was_verified(self):
        assert scrape()["module_token_verify_seconds_count",] == 0


@pytest.mark.django_db
class TestCost:
    def test_asks_for_what_cannot_have_changed_once(self):
        list(accesses(NOON)), list(verifications(NOON))

        with CaptureQueriesContext(connection) as queries:
            list(accesses(NOON)), list(verifications(NOON))

        assert len(queries) == 2
