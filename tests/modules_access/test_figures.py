from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from modules_access.figures import Verified, count_check, quantile, read_figures, read_verified
from modules_access.models import TokenChecks
from modules_access.services.grants import revoke_access
from tests.support.factories import NOON
from tests.support.modules import give_back, make_buyer, make_grant, make_learner, make_module, make_token

HOUR = timedelta(hours=1)
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

        assert read_verified(since=NOON, until=NOON + DAY) == [Verified("ok", 6, 9000, (3, 3, *[0] * 9))]

    def test_counts_the_hour_whole_in_which_it_begins(self):
        count_check(outcome="ok", micros=1, at=NOON)
        count_check(outcome="ok", micros=1, at=NOON - HOUR)

        (found,) = read_verified(since=NOON + HOUR / 2, until=NOON + DAY)

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
