import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from django.db import connection

from payments.bell import CHANNEL, connect
from payments.diagnosis.probe import probe_findings, probe_webhook
from payments.ledger.models import PaymentEvent
from tests.support.database import empty_tables
from tests.support.factories import NOON
from tests.support.signing import URL, body_of, make_event, signature_of
from tests.support.web_server import web_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(scope="module", params=["1", "0"], ids=["together", "one by one"])
def server(request, django_db_setup, django_db_blocker, tmp_path_factory):
    """Both ways into the ledger must look alike from outside."""
    with web_server(tmp_path_factory.mktemp("web"), WEBHOOK_GROUP_COMMIT=request.param) as running:
        yield running
    with django_db_blocker.unblock():
        empty_tables()  # as it ends it writes what it has refused


def deliver(server, body, *, signature="", url=URL, **headers):
    """POST as Stripe does; a list of bytes goes out in chunks, without a length."""
    whole = b"".join(body) if isinstance(body, list) else body
    headers["Stripe-Signature"] = signature or signature_of(whole)
    with closing(server.connect()) as client:
        client.request("POST", url, body=iter(body) if isinstance(body, list) else body, headers=headers)
        response = client.getresponse()
        text = response.read()
        assert response.getheader("Content-Length") == str(len(text)), "every answer says how long it is"
        return response.status, json.loads(text)


def head(*, signature="t=1,v1=0", **headers):
    lines = [f"POST {URL} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", f"Stripe-Signature: {signature}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def status_and_code(answer):
    body = answer[answer.index(b"{") : answer.rindex(b"}") + 1]  # perhaps in one chunk
    return int(answer.split()[1]), json.loads(body)["error"]["code"]


class TestProbe:
    def test_finds_our_own_web_server_in_order(self, server, settings):
        settings.SITE_URL = f"http://127.0.0.1:{server.port}"

        [found] = probe_findings(probe_webhook(), last_event_at=None, at=NOON)

        assert found.sentence == f"{settings.SITE_URL}{URL} answers as it should."


class TestDelivery:
    def test_is_kept(self, server):
        event = make_event()

        status, answer = deliver(server, body_of(event))

        assert (status, answer["received"]) == (200, True)
        assert PaymentEvent.objects.get().payload == event

    @pytest.mark.parametrize("size", [1, 100, 10_000])
    def test_is_kept_when_it_comes_in_chunks(self, server, size):
        body = body_of(make_event(object={"description": "é" * 5000}))
        chunks = [body[start : start + size] for start in range(0, min(len(body), size * 300), size)]
        chunks.append(body[len(b"".join(chunks)) :])

        status, _ = deliver(server, [chunk for chunk in chunks if chunk])

        assert status == 200
        assert PaymentEvent.objects.count() == 1

    def test_wakes_the_workers(self, server):
        with connect() as ear:
            ear.execute(f"LISTEN {CHANNEL}")

            deliver(server, body_of(make_event()))

            assert len(list(ear.notifies(timeout=5, stop_after=1))) == 1

    def test_fifty_times_at_once_is_one_row_and_fifty_times_200(self, server):
        body = body_of(make_event())
        together = threading.Barrier(50)

        def at_once(_):
            together.wait()
            return deliver(server, body)

        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(at_once, range(50)))

        assert {status for status, _ in answers} == {200}
        assert [answer["duplicate"] for _, answer in answers].count(False) == 1
        assert PaymentEvent.objects.count() == 1

    def test_goes_on_after_every_connection_to_the_database_was_cut(self, server):
        for _ in range(20):
            deliver(server, body_of(make_event()))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

        statuses = [deliver(server, body_of(make_event()))[0] for _ in range(20)]

        assert set(statuses) == {200}
        assert PaymentEvent.objects.count() == 40

    def test_leaves_one_line_with_the_request_id_and_without_secrets(self, server):
        body = body_of(make_event(object={"client_secret": "pi_1_secret_zZ", "email": "zoe@example.com"}))
        signature = signature_of(body)

        deliver(server, body, signature=signature, **{"X-Request-ID": "from-the-caller"})

        (kept,) = server.lines("event.received", request_id="from-the-caller")
        assert kept["object"] == "cs_test_a1"
        assert (kept["path"], kept["status"]) == (URL, 200)
        assert server.lines("http.request", request_id="from-the-caller") == []
        said = server.process.output
        assert not any(word in said for word in (signature, "secret_zZ", "zoe@", "whsec_test"))


class TestRefusal:
    def test_of_a_long_body_comes_before_the_body(self, server, settings):
        length = settings.STRIPE_WEBHOOK_MAX_BYTES + 1

        answer = server.talk(head(Content_Length=length))

        assert status_and_code(answer) == (413, "body_too_large")

    def test_of_a_long_body_that_is_sent_all_the_same(self, server, settings):
        body = b"x" * (settings.STRIPE_WEBHOOK_MAX_BYTES + 1)

        assert deliver(server, body, signature="t=1,v1=0")[0] == 413

    def test_of_endless_chunks_comes_at_the_limit(self, server, settings):
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        chunks = chunk * (settings.STRIPE_WEBHOOK_MAX_BYTES // 0x10000 + 1)

        answer = server.talk(head(Transfer_Encoding="chunked") + chunks)

        assert status_and_code(answer) == (413, "body_too_large")

    def test_of_a_body_whose_sender_went_away(self, server):
        body = body_of(make_event())
        whole = head(signature=signature_of(body), Content_Length=len(body))

        answer = server.talk(whole + body[:-1], hang_up=True)

        assert status_and_code(answer) == (400, "incomplete_body")

    @pytest.mark.parametrize("broken", [b"zz\r\n", b"5\r\nabc", b"3\r\nabcdef\r\n", b"5;\x00\r\nabcde\r\n", b""])
    def test_of_broken_chunks(self, server, broken):
        answer = server.talk(head(Transfer_Encoding="chunked") + broken, hang_up=True)

        assert status_and_code(answer) == (400, "unreadable_body")

    @pytest.mark.parametrize("length", ["abc", "-1", "1_0", "9" * 400])
    def test_of_a_length_that_is_no_number(self, server, length):
        answer = server.talk(head(Content_Length=length), hang_up=True)

        assert answer.split()[1] in (b"400", b"413")

    @pytest.mark.parametrize("signature", ["t=1,v1=é", "t=1,v1=\xff", "t=1, v1=0", "=,=,=", "," * 4000])
    def test_of_an_odd_signature(self, server, signature):
        raw = head(signature="ODD", Content_Length=2).replace(b"ODD", signature.encode("latin-1")) + b"{}"

        assert status_and_code(server.talk(raw)) == (400, "invalid_signature")

    def test_of_a_foreign_host_name(self, server):
        raw = head(Content_Length=2).replace(b"Host: 127.0.0.1", b"Host: evil.example") + b"{}"

        assert status_and_code(server.talk(raw)) == (400, "wrong_host")

    def test_stores_nothing(self, server):
        deliver(server, body_of(make_event()), signature="t=1,v1=0")

        assert not PaymentEvent.objects.exists()
