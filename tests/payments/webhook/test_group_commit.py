import json
import time

import pytest
from django.db import connection

from payments import bell
from payments.ledger.models import PaymentEvent
from payments.webhook.group_commit import Delivery, commit_group
from tests.support.signing import URL, body_of, make_event, signature_of, thin_event


def delivery(event=None, *, number=0, **changes):
    body = changes.pop("body", None) or body_of(event or make_event())
    given = {"path": URL, "host": "testserver", "signature": signature_of(body), "body": body}
    return Delivery(**given | {"request_id": f"request-{number}", "began": time.perf_counter()} | changes)


@pytest.fixture
def rung(monkeypatch):
    rings = []
    monkeypatch.setattr("payments.webhook.group_commit.ring", lambda: rings.append(1))
    return rings


@pytest.mark.django_db
class TestCommitGroup:
    def test_keeps_all_with_one_statement_and_rings_once(self, rung, django_assert_num_queries):
        events = [make_event() for _ in range(3)]

        with django_assert_num_queries(1):
            answers = commit_group([delivery(event, number=n) for n, event in enumerate(events)])

        assert [json.loads(answer) for answer in answers] == [
            {"received": True, "event": event["id"], "duplicate": False} for event in events
        ]
        kept = PaymentEvent.objects.in_bulk([event["id"] for event in events], field_name="stripe_event_id")
        assert [kept[event["id"]].payload for event in events] == events
        assert [kept[event["id"]].request_id for event in events] == ["request-0", "request-1", "request-2"]
        assert rung == [1]

    def test_keeps_what_the_other_way_keeps(self, client):
        event = make_event(object={"name": "Zoé 😀", "client_secret": "pi_1_secret_2", "metadata": {"orderId": "x"}})
        twin = event | {"id": f"{event['id']}_twin"}

        commit_group([delivery(event)])
        body = body_of(twin)
        client.post(URL, body, content_type="application/json", headers={"Stripe-Signature": signature_of(body)})

        own = {"id", "stripe_event_id", "payload", "body_sha256", "request_id", "received_at", "next_attempt_at"}
        one, other = (
            {name: value for name, value in row.items() if name not in own}
            for row in PaymentEvent.objects.order_by("pk").values()
        )
        assert one == other
        first, second = PaymentEvent.objects.order_by("pk").values_list("payload", flat=True)
        assert first | {"id": second["id"]} == second

    def test_keeps_a_thin_event_beside_the_others(self, rung):
        events = [thin_event(), make_event()]

        answers = commit_group([delivery(event) for event in events])

        assert [json.loads(answer)["event"] for answer in answers] == [event["id"] for event in events]
        assert PaymentEvent.objects.filter(type=events[0]["type"], status="RECEIVED").exists()

    def test_leaves_what_is_known_to_the_ordinary_way(self):
        event = make_event()
        first, again = commit_group([delivery(event), delivery(event)])

        later = commit_group([delivery(event), delivery()])

        assert first is not None
        assert again is None
        assert [answer is None for answer in later] == [True, False]
        assert PaymentEvent.objects.count() == 2

    def test_rings_for_work_only(self, rung):
        commit_group([delivery(make_event(livemode=True))])

        assert PaymentEvent.objects.get().ignored_reason == "wrong livemode"
        assert rung == []

    def test_holds_nobody_up_for_one_that_is_refused(self):
        answers = commit_group([delivery(signature="t=1,v1=0"), delivery()])

        assert [answer is None for answer in answers] == [True, False]


class TestDoubtful:
    """None of these may use the database, so none of these was kept."""

    @pytest.mark.parametrize(
        "doubt",
        [
            {"signature": ""},
            {"signature": "t=1,v1=0"},
            {"host": "evil.example"},
            {"host": ""},
            {"body": b"{}"},
            {"body": b'{"object": "v2.core.event"}'},
            {"signature": signature_of(body_of(make_event()), timestamp=int(time.time()) - 900)},
        ],
    )
    def test_is_left_to_the_ordinary_way(self, doubt):
        assert commit_group([delivery(**doubt)]) == [None]

    def test_is_whatever_comes_while_there_is_no_secret(self, settings):
        wanted = delivery()
        settings.STRIPE_WEBHOOK_SECRETS = []

        assert commit_group([wanted]) == [None]

    def test_is_what_is_signed_by_a_clock_that_is_far_off(self):
        body = body_of(make_event())

        late = delivery(body=body, signature=signature_of(body, timestamp=int(time.time()) - 90))

        assert commit_group([late]) == [None]


@pytest.mark.django_db(transaction=True)
class TestTroubleWithTheDatabase:
    def test_leaves_all_to_the_ordinary_way_and_is_over_afterwards(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            backend = cursor.fetchone()
        with bell.connect() as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", backend)

        first, second = commit_group([delivery()]), commit_group([delivery()])

        assert first == [None]
        assert second != [None]
        assert PaymentEvent.objects.count() == 1
