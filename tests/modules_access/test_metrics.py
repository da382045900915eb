from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from config.metrics import Measured
from modules_access import metrics
from modules_access.counting import gather_old
from modules_access.figures import count_check
from modules_access.models import AccessToken
from modules_access.services.grants import revoke_access
from tests.support.factories import NOON
from tests.support.modules import give_back, make_buyer, make_grant, make_learner, make_module, make_token

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _nothing_remembered():
    metrics.forget()
    yield
    metrics.forget()


@pytest.fixture
def module():
    return make_module()


@pytest.fixture
def learner():
    return make_learner()


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


class TestVerifications:
    def test_counts_by_outcome_and_never_loses_any(self):
        ages = (500 * DAY, 3 * HOUR, HOUR, HOUR * 0)
        for age in ages:
            count_check(outcome="ok", micros=1500, at=NOON - age)
        count_check(outcome="expired", micros=1500, at=NOON)
        found = scrape()

        gather_old(at=NOON)
        metrics.forget()

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


class TestCost:
    def test_asks_for_what_cannot_have_changed_once(self):
        scrape()

        with CaptureQueriesContext(connection) as queries:
            scrape()

        assert len(queries) == 2
