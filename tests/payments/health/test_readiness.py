import pytest
from django.utils import timezone

from payments.health.readiness import BROKER_ASKED_EVERY, broker_answers
from payments.statuses import EventStatus
from tests.support.processes import DEAD_REDIS
from tests.support.watching import A_MINUTE, events, everything_lives


@pytest.fixture(autouse=True)
def _ask_broker_anew():
    broker_answers.asked_at = float("-inf")
    yield
    broker_answers.asked_at = float("-inf")


def found(answer):
    return {each["name"]: each["state"] for each in answer.json()["checks"]}


@pytest.mark.django_db
class TestReady:
    def test_says_what_was_looked_at(self, client):
        everything_lives(at=timezone.now())

        answer = client.get("/readyz")

        assert (answer.status_code, answer.json()["status"]) == (200, "ok")
        names = ("database", "migrations", "counters", "broker", "worker", "beat", "backlog")
        assert found(answer) == dict.fromkeys(names, "ok")

    def test_does_not_take_the_site_away_because_a_worker_stands_still(self, client, settings):
        settings.CELERY_BROKER_URL = DEAD_REDIS
        everything_lives(at=timezone.now() - 4 * A_MINUTE)
        events(1, at=timezone.now() - 6 * A_MINUTE, status=EventStatus.RECEIVED)

        answer = client.get("/readyz/")

        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        states = found(answer)
        assert [name for name, state in states.items() if state == "warning"] == ["broker", "worker", "beat", "backlog"]
        assert all(each["remedy"] for each in answer.json()["checks"] if each["state"] == "warning")

    def test_says_no_and_what_to_do_while_it_cannot_work(self, client, settings):
        settings.REDIS_URL = DEAD_REDIS

        answer = client.get("/readyz")

        assert (answer.status_code, answer.json()["reason"]) == (503, "counters")
        assert "REDIS_URL" in answer.json()["checks"][0]["remedy"]

    def test_keeps_the_details_for_staff_and_the_token(self, client, settings):
        settings.METRICS_TOKEN = "sesame"

        assert client.get("/readyz").json() == {"status": "degraded"}

    def test_asks_the_broker_once_in_a_while(self, settings):
        settings.CELERY_BROKER_URL = DEAD_REDIS
        assert not broker_answers(now=100.0)
        settings.CELERY_BROKER_URL = "filesystem://"

        assert not broker_answers(now=100.0 + BROKER_ASKED_EVERY)
        assert broker_answers(now=101.0 + BROKER_ASKED_EVERY)


class TestLive:
    def test_answers_at_its_short_address(self, client):
        assert client.get("/livez").json() == {"status": "ok"}
