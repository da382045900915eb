from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.test import Client, RequestFactory
from structlog.testing import capture_logs

from payments.ledger import refusals as room
from payments.ledger.models import RefusedDeliveries
from payments.ledger.refusals import PROBE_HEADER, RefusalCounter, probe_token, refusals
from payments.webhook.refusals import count_refusal
from payments.webhook.views import WebhookView
from tests.support.factories import NOON
from tests.support.processes import wait_until
from tests.support.signing import URL, make_event, signed_post
from tests.support.web_server import web_server


@pytest.fixture(autouse=True)
def _nothing_counted():
    refusals.begin_anew()
    yield
    refusals.begin_anew()


@pytest.fixture
def counter():
    return RefusalCounter()


def count(counter, code="invalid_signature", *, at=NOON, **hints):
    counter.count(code, **{"host": "shop.example", "path": "/stripe/webhooks", "request_id": "r-1", **hints}, at=at)


def rows():
    return list(RefusedDeliveries.objects.order_by("hour", "code").values_list("hour", "code", "count", "request_id"))


class TestStorm:
    def test_asks_the_database_nothing_and_is_written_in_one_statement(
        self, django_db_blocker, db, django_assert_num_queries
    ):
        factory, view = RequestFactory(), WebhookView.as_view()
        request = factory.post(URL, b"{}", content_type="application/json", HTTP_STRIPE_SIGNATURE="t=1,v1=0")

        with django_db_blocker.block(), capture_logs():
            statuses = {view(factory.post(URL, b"{}", "application/json")).status_code for _ in range(100)}
            for _ in range(9_900):
                count_refusal(request, "missing_signature")
        with django_assert_num_queries(1):
            refusals.write()

        told = RefusedDeliveries.objects.filter(code="missing_signature")
        assert statuses == {400}
        # The hour may have turned meanwhile.
        assert (sum(row.count for row in told), told.count() <= 2) == (10_000, True)


@pytest.mark.django_db
class TestWrite:
    def test_keeps_a_row_for_each_hour_and_reason_with_the_last_hints(self, counter):
        count(counter)
        count(counter, request_id="r-2", host="old.example")
        count(counter, "missing_signature")
        count(counter, at=NOON + timedelta(hours=1))

        assert counter.write() == 3

        later = NOON + timedelta(hours=1)
        assert rows() == [
            (NOON, "invalid_signature", 2, "r-2"),
            (NOON, "missing_signature", 1, "r-1"),
            (later, "invalid_signature", 1, "r-1"),
        ]
        assert RefusedDeliveries.objects.get(request_id="r-2").host == "old.example"

    def test_adds_to_what_another_process_has_written(self, counter):
        other = RefusalCounter()
        for each in (counter, other, counter):
            count(each)
            each.write()

        assert rows() == [(NOON, "invalid_signature", 3, "r-1")]

    def test_does_nothing_where_nothing_was_counted(self, counter, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert counter.write() == 0

    def test_loses_nothing_while_the_database_is_away(self, counter, monkeypatch):
        count(counter)
        with monkeypatch.context() as patch:
            patch.setattr(room, "_add", lambda _counted: (_ for _ in ()).throw(DatabaseError()))
            assert counter.write() == 0
        count(counter, request_id="r-2")

        counter.write()

        assert rows() == [(NOON, "invalid_signature", 2, "r-2")]

    def test_forgets_what_is_old(self, counter):
        count(counter, at=NOON - timedelta(days=91))
        counter.write()

        count(counter)
        counter.write()

        assert rows() == [(NOON, "invalid_signature", 1, "r-1")]

    def test_takes_whatever_strangers_write(self, counter):
        count(counter, host="é" * 500, path="/x'; --" * 50)

        assert counter.write() == 1


class TestCount:
    def test_stays_bounded_in_memory(self, counter, monkeypatch):
        monkeypatch.setattr(room, "MAX_ROWS_IN_MEMORY", 2)

        for number in range(5):
            count(counter, f"code_{number}")
        count(counter, "code_0")

        assert {code: each.count for (_hour, code), each in counter._counts.items()} == {"code_0": 2, "code_1": 1}


class TestWhatIsCounted:
    """By its reason, wherever the delivery has arrived."""

    def counted(self):
        return [(code, each.path) for (_hour, code), each in refusals._counts.items()]

    def test_is_a_host_that_is_not_ours(self):
        Client(headers={"host": "old.example"}).post(URL, b"{}", HTTP_STRIPE_SIGNATURE="t=1", content_type="text/json")

        assert self.counted() == [("wrong_host", URL)]
        assert [each.host for each in refusals._counts.values()] == ["old.example"]

    @pytest.mark.parametrize("path", ["/stripe/hooks", "/webhook/"])
    def test_is_an_address_that_is_not_ours(self, client, path):
        signed_post(client, make_event(), url=path)

        assert self.counted() == [("wrong_path", path)]

    def test_is_not_our_own_question_unless_it_is_old_or_made_up(self, client):
        for token in (probe_token(), "probe:1:forged", ""):
            assert client.post(URL, b"{}", "application/json", headers={PROBE_HEADER: token}).status_code == 400

        assert [each.count for each in refusals._counts.values()] == [2]

    def test_is_an_error_of_our_own(self, client, monkeypatch):
        monkeypatch.setattr("payments.webhook.views.receive", lambda _request: 1 / 0)
        client.raise_request_exception = False

        assert signed_post(client, make_event()).status_code == 500
        assert self.counted() == [("server_error", URL)]

    def test_is_no_page_that_people_miss_and_no_look_at_the_address(self, client):
        client.get("/nothing-here/")
        client.get(URL)

        assert self.counted() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
class TestWebServer:
    def test_writes_what_it_has_counted_when_it_is_asked_to_end(self, tmp_path):
        with web_server(tmp_path) as server:
            for _ in range(3):
                answer = server.talk(
                    b"POST /stripe/webhooks HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                    b"Stripe-Signature: t=1,v1=0\r\nContent-Length: 2\r\n\r\n{}"
                )
                assert b"invalid_signature" in answer

        wait_until(RefusedDeliveries.objects.exists, seconds=5)
        assert RefusedDeliveries.objects.get().count == 3
