"""The look at our endpoints: its result is kept, and an answer that does not come changes nothing."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from payments.endpoints.compare import Difference, Kind
from payments.endpoints.drift import check_drift, last_drift
from payments.tasks import check_endpoints_job
from tests.support.factories import NOON
from tests.support.fake_gateway import unavailable
from tests.support.set_up import account_for, our_endpoint

pytestmark = pytest.mark.django_db
SITE = "https://shop.example"


@pytest.fixture
def stripe(settings, monkeypatch):
    settings.SITE_URL = SITE
    fake = account_for(monkeypatch)
    fake.endpoints = [our_endpoint(SITE)]
    return fake


class TestCheckDrift:
    def test_keeps_that_nothing_differs(self, stripe):
        with capture_logs() as lines:
            drift = check_drift(at=NOON)

        assert (drift.is_drifted, last_drift(), lines) == (False, drift, [])

    def test_keeps_and_logs_what_differs(self, stripe):
        stripe.endpoints[0] |= {"status": "disabled", "api_version": "2023-10-16"}

        with capture_logs() as lines:
            check_drift(at=NOON)

        assert last_drift().is_drifted
        assert last_drift().differences == [
            Difference(Kind.DISABLED, "we_1", f"{SITE}/stripe/webhooks"),
            Difference(Kind.VERSION, "we_1", "2023-10-16"),
        ]
        assert [(line["event"], line["differences"]) for line in lines] == [
            ("webhooks.drifted", [f"disabled we_1 {SITE}/stripe/webhooks", "version we_1 2023-10-16"])
        ]

    def test_does_not_cry_over_what_is_harmless(self, stripe):
        stripe.endpoints.append(our_endpoint(SITE, id="we_2", metadata={"replaces": "we_1"}))

        drift = check_drift(at=NOON)

        assert ([each.kind for each in drift.differences], drift.is_drifted) == (["rotating"], False)

    def test_lets_the_last_result_stand_where_stripe_does_not_answer(self, stripe):
        check_drift(at=NOON)
        stripe.trouble = unavailable()

        assert check_drift(at=NOON + timedelta(days=1)) is None
        assert last_drift().at == NOON

    def test_is_what_the_timetable_runs(self, stripe):
        check_endpoints_job(later="argument")

        assert last_drift() is not None
