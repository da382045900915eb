"""`/health` as document 03 has it: states, thresholds, names."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from payments.figures.recent import Counts, HealthState
from payments.health.health import read_health
from payments.statuses import EventStatus
from tests.support.factories import make_staff
from tests.support.road import NOON
from tests.support.watching import A_MINUTE, events, failed_payments, payments


def counts(**told):
    return Counts(**{name: told.get(name, 0) for name in Counts.__dataclass_fields__})


class TestState:
    @pytest.mark.parametrize(
        ("told", "state"),
        [
            ({}, "healthy"),
            ({"events_done": 95, "events_failed": 5}, "healthy"),
            ({"events_done": 94, "events_failed": 6}, "degraded"),
            ({"events_done": 85, "events_failed": 15}, "degraded"),
            ({"events_done": 84, "events_failed": 16}, "critical"),
            ({"paid": 90, "failed_payments": 10}, "healthy"),
            ({"paid": 89, "failed_payments": 11}, "degraded"),
            ({"paid": 75, "failed_payments": 25}, "degraded"),
            ({"paid": 74, "failed_payments": 26}, "critical"),
            # Banks refuse; and of few nothing is said.
            ({"paid": 10, "declined_payments": 90}, "healthy"),
            ({"events_failed": 19}, "healthy"),
            ({"failed_payments": 19}, "healthy"),
            ({"events_failed": 20}, "critical"),
        ],
    )
    def test_follows_the_worse_rate(self, told, state):
        assert counts(**told).state == HealthState(state)


@pytest.mark.django_db
class TestReadHealth:
    def test_counts_the_last_24_hours_and_whose_fault_it_was(self, make_registration):
        order = make_registration().order
        payments(3, at=NOON - A_MINUTE, order=order)
        payments(1, at=NOON - timedelta(hours=25), order=order)
        events(5, at=NOON - A_MINUTE)
        events(2, at=NOON - A_MINUTE, status=EventStatus.DEAD)
        events(9, at=NOON - timedelta(hours=25), status=EventStatus.FAILED)
        failed_payments(4, at=NOON - A_MINUTE, order=order, type="card_error", code="card_declined")
        failed_payments(2, at=NOON - A_MINUTE, order=order, type="api_error")
        code = "payment_intent_authentication_failure"
        failed_payments(1, at=NOON - A_MINUTE, order=order, type="invalid_request_error", code=code)
        failed_payments(7, at=NOON - A_MINUTE, order=None, type="api_error")  # somebody else's

        health = read_health(at=NOON)

        assert health.counts == Counts(
            events=21, events_done=19, events_failed=2, failed_payments=2, declined_payments=5, paid=3
        )

    def test_speaks_as_document_03(self, make_registration):
        payments(3, at=NOON - A_MINUTE, order=make_registration().order)
        events(1, at=NOON - A_MINUTE)

        told = read_health(at=NOON).as_dict()

        a_minute_ago = (NOON - A_MINUTE).isoformat()
        assert told == {
            "status": "healthy",
            "metrics": {
                "totalPayments": 3, "successfulPayments": 3, "failedPayments": 0, "declinedPayments": 0,
                "webhookEvents": 1, "failedWebhooks": 0, "lastPaymentAt": a_minute_ago, "lastWebhookAt": a_minute_ago,
            },
            "rates": {"paymentFailureRate": 0.0, "webhookFailureRate": 0.0},
            "lastActivity": {
                "hasRecentActivity": True, "lastPayment": a_minute_ago, "lastWebhook": a_minute_ago,
            },
        }  # fmt: skip


@pytest.mark.django_db
class TestHealth:
    @pytest.mark.parametrize(
        ("failed", "status", "code"), [(0, "healthy", 200), (6, "degraded", 200), (20, "critical", 503)]
    )
    def test_answers_with_the_state(self, client, failed, status, code):
        now = timezone.now()
        events(100 - failed, at=now - A_MINUTE)
        events(failed, at=now - A_MINUTE, status=EventStatus.FAILED)

        answer = client.get("/health")

        assert (answer.status_code, answer.json()["status"]) == (code, status)
        assert answer.json()["metrics"]["failedWebhooks"] == failed

    def test_keeps_the_details_for_staff_and_the_token(self, client, settings):
        settings.METRICS_TOKEN = "sesame"

        assert client.get("/health").json() == {"status": "healthy"}
        assert "metrics" in client.get("/health", headers={"authorization": "Bearer sesame"}).json()
        client.force_login(make_staff())
        assert "metrics" in client.get("/health/").json()

    @pytest.mark.django_db(transaction=True)
    def test_says_error_while_the_database_is_away(self, client, monkeypatch):
        connection.close()
        with monkeypatch.context() as patch:
            patch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
            patch.setitem(connection.settings_dict, "PORT", "1")

            answer = client.get("/health")

        assert (answer.status_code, answer.json()["status"]) == (500, "error")
