from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from config.seen import Seen, seen
from payments import tallies
from payments.alerts.models import Alert
from payments.figures.models import DailyFigure
from payments.health.metrics import forget_totals
from payments.statuses import EventStatus
from payments.tallies import Tally, write
from tests.support.road import NOON
from tests.support.signing import make_event, signed_post
from tests.support.watching import A_MINUTE, events, everything_lives

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_seen():
    seen.clear()
    tallies._left.clear()
    forget_totals()
    yield
    seen.clear()
    forget_totals()


def told(client):
    families = text_string_to_metric_families(client.get("/metrics").content.decode())
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value for family in families for sample in family.samples
    }


class TestMetrics:
    def test_add_up_the_days_by_currency(self, client):
        today = timezone.localdate()
        for days, currency, count in ((0, "eur", 2), (1, "eur", 3), (400, "eur", 5), (0, "usd", 1)):
            DailyFigure.objects.create(
                day=today - timedelta(days=days), figure="received", currency=currency, count=count, amount=count * 4900
            )
        DailyFigure.objects.create(day=today, figure="lag", part="1", count=7)

        values = told(client)

        assert values["payments_received_total", "eur"] == 10
        assert values["payments_amount_minor_total", "eur", "received"] == 49_000
        assert values["payments_received_total", "usd"] == 1
        assert values["stripe_event_lag_seconds_bucket", "0.02"] == 7
        assert values["stripe_event_lag_seconds_bucket", "+Inf"] == 7

    def test_tell_what_waits_and_who_lives(self, client):
        now = timezone.now()
        everything_lives(at=now - A_MINUTE)
        events(3, at=now - 2 * A_MINUTE, status=EventStatus.RECEIVED)
        events(2, at=now - A_MINUTE, status=EventStatus.DEAD)
        Alert.objects.create(rule="worker.lost", severity="high", text="x", opened_at=now, seen_at=now)

        values = told(client)

        assert (values["stripe_events", "due"], values["stripe_events", "dead"]) == (3, 2)
        assert 120 <= values["stripe_events_oldest_due_seconds",] < 130
        assert values["alerts_open", "high", "worker.lost"] == 1
        [age] = [value for name, value in values.items() if name[0] == "heartbeat_age_seconds" and "worker" in name]
        assert 60 <= age < 70

    def test_count_answers_calls_and_refusals_by_how_they_ended(self, client):
        client.get("/plans/")
        client.get("/nothing-here/")
        client.get("/livez")
        signed_post(client, make_event())
        client.post("/stripe/webhooks", b"{}", content_type="application/json")
        seen.append((Seen.STRIPE_CALL, "rate_limited", 0.3))
        write(at=NOON)

        values = told(client)

        assert values["http_answer_seconds_count", "2xx", "public"] == 1
        assert values["http_answer_seconds_count", "4xx", "public"] == 1
        assert values["http_answer_seconds_count", "2xx", "webhook"] == 1
        assert values["stripe_deliveries_refused_total", "missing_signature"] == 1
        assert values["stripe_call_seconds_bucket", "0.25", "rate_limited"] == 0
        assert values["stripe_call_seconds_bucket", "0.5", "rate_limited"] == 1


class TestTallies:
    def test_add_up_what_several_processes_write(self):
        for seconds in (0.004, 0.2):
            seen.append((Seen.ANSWER, "api 2xx", seconds))
            write(at=NOON)

        row = Tally.objects.get()

        assert (row.count, row.micros) == (2, 204_000)
        assert row.buckets[:6] == [1, 0, 0, 0, 0, 1]
        assert (row.hour, row.in_hour) == (NOON, 2)

    def test_say_how_often_it_was_in_the_last_hour(self):
        for minute in (0, 59, 61, 62):
            seen.append((Seen.ANSWER, "api 5xx", 0.1))
            write(at=NOON + minute * A_MINUTE)

        row = Tally.objects.get()

        assert (row.count, row.hour, row.in_hour) == (4, NOON + 60 * A_MINUTE, 2)

    def test_lose_nothing_while_the_database_is_away(self, monkeypatch):
        seen.append((Seen.ANSWER, "api 2xx", 0.1))
        with monkeypatch.context() as patch:
            patch.setattr(tallies, "save", lambda _counted, at: (_ for _ in ()).throw(OperationalError()))
            assert write(at=NOON) == 0
        seen.append((Seen.ANSWER, "api 2xx", 0.1))

        write(at=NOON)

        assert Tally.objects.get().count == 2
