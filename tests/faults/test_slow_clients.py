"""Clients that send slowly, or nothing, or too much: nobody else waits for them, and they do not wait for ever."""

import socket
import time
from contextlib import ExitStack, closing, suppress

import pytest

from tests.support.database import empty_tables
from tests.support.signing import URL, body_of, make_event, signature_of
from tests.support.web_server import web_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
SLOW_CLIENTS = 50
REQUEST_SECONDS = 2  # of tests/support/serving_impatient.py
HEAD = f"POST {URL} HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode()
BEGINNINGS = {
    "nothing": b"",
    "half a line": b"POST /stri",
    "half a head": HEAD + b"X-Slow:",
    "half a body": HEAD + b"Content-Length: 1000\r\n\r\n{",
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n100\r\n{",
    "chunks that look like an end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\n\r\n0\r\n\r\n",
    "no last chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "two lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 9000\r\n\r\n{}",
    "leave to go on": HEAD + b"Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n",
    "too long a body": HEAD + b"Content-Length: 999999999\r\n\r\n{",
    "a form": b"POST /account/sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nusername=",
}


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker, tmp_path_factory):
    directory = tmp_path_factory.mktemp("web")
    with web_server(directory, serving="tests.support.serving_impatient", TMPDIR=str(directory)) as running:
        yield running
    with django_db_blocker.unblock():
        empty_tables()  # as it ends it writes what it has refused


def connect(server, said=b""):
    wire = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    wire.sendall(said)
    return wire


def deliver(server):
    body = body_of(make_event())
    with closing(server.connect()) as client:
        client.request("POST", URL, body=body, headers={"Stripe-Signature": signature_of(body)})
        return client.getresponse().status


def said_until_closed(wire):
    answer = b""
    with suppress(ConnectionResetError):
        while piece := wire.recv(65536):
            answer += piece
    return answer


class TestSlowClients:
    @pytest.mark.parametrize("said", BEGINNINGS.values(), ids=BEGINNINGS)
    def test_hold_up_no_delivery(self, server, said):
        with ExitStack() as stack:
            for _ in range(SLOW_CLIENTS):
                stack.enter_context(connect(server, said))
            began = time.monotonic()

            statuses = [deliver(server) for _ in range(3)]

            assert statuses == [200] * 3
            assert time.monotonic() - began < REQUEST_SECONDS, "they were waited for"

    @pytest.mark.parametrize("kind", ["half a head", "half a body", "half a chunk"])
    def test_that_never_stop_are_told_that_their_time_is_over(self, server, kind):
        with connect(server, BEGINNINGS[kind]) as wire:
            wire.settimeout(0.2)
            answer, began = b"", time.monotonic()
            while not answer and time.monotonic() - began < 20:
                wire.sendall(b"x")
                try:
                    answer = wire.recv(65536)
                except TimeoutError:
                    continue

        assert answer.startswith(b"HTTP/1.1 408 ")

    @pytest.mark.parametrize("kind", ["nothing", "half a head", "half a body", "no last chunk"])
    def test_that_fall_silent_are_left(self, server, kind):
        with connect(server, BEGINNINGS[kind]) as wire:
            assert said_until_closed(wire) == b""

    def test_that_send_a_head_without_end_are_refused(self, server):
        with connect(server, HEAD + b"X: " + b"x" * 100_000) as wire:
            assert said_until_closed(wire).startswith(b"HTTP/1.1 431 ")


class TestOrdinaryClients:
    def test_may_ask_again_on_the_same_connection(self, server):
        with closing(server.connect()) as client:
            for _ in range(3):
                client.request("GET", "/healthz/live")
                response = client.getresponse()

                assert (response.status, response.read()) == (200, b'{"status": "ok"}')

    def test_may_ask_twice_at_once(self, server):
        asked = b"GET /healthz/live HTTP/1.1\r\nHost: 127.0.0.1\r\n"

        answer = server.talk(asked + b"\r\n" + asked + b"Connection: close\r\n\r\n")

        assert answer.count(b"HTTP/1.1 200 OK") == 2

    def test_may_wait_for_leave_to_send(self, server):
        body = body_of(make_event())
        head = HEAD + f"Stripe-Signature: {signature_of(body)}\r\nContent-Length: {len(body)}\r\n".encode()
        with connect(server, head + b"Expect: 100-continue\r\nConnection: close\r\n\r\n") as wire:
            assert wire.recv(65536).startswith(b"HTTP/1.1 100 Continue")
            wire.sendall(body)

            assert b"HTTP/1.1 200 OK" in said_until_closed(wire)

    def test_may_send_byte_by_byte(self, server):
        with connect(server) as wire:
            for byte in b"GET /healthz/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n":
                wire.sendall(bytes([byte]))

            assert said_until_closed(wire).startswith(b"HTTP/1.1 200 OK")


class TestFiles:
    FILE = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
        + b"a" * 200_000
        + b"\r\n--x--\r\n"
    )

    @pytest.mark.parametrize("size", [1, 10])
    @pytest.mark.parametrize("is_chunked", [False, True])
    @pytest.mark.parametrize(
        "path", ["/account/sign-in/", "/admin/login/", "/activities/pottery/", "/i18n/setlang/", URL,
                 "/api/activities/pottery/registrations/", "/api/module-tokens/verify", "/encours/1/open"],
    )  # fmt: skip
    def test_are_refused_before_anything_is_written(self, server, path, is_chunked, size):
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n".encode()
        head += b"Content-Type: multipart/form-data; boundary=x\r\n"
        body = self.FILE * size
        if is_chunked:
            said = head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        else:
            said = head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)

        with connect(server) as wire:
            with suppress(OSError):  # refused before it was all sent
                wire.sendall(said)
            answer = said_until_closed(wire)

        assert answer.split()[1] in (b"400", b"401", b"404", b"411", b"413", b"415"), answer[:500]
        assert not list(server.process.log.parent.glob("**/*.upload*"))


class TestLog:
    def test_masks_secrets_in_what_is_no_request(self, server):
        token = "5f0c8a3e-1111-4222-8333-0123456789ab:hunter2hunter2"
        server.talk(f"GET /registrations/{token}/ HTTP/9\r\n\r\n".encode())
        server.talk(f"GET /registrations/{token} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode())
        server.talk(f"GET /nowhere/{token} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())

        assert "/nowhere/5f0c8a3e-1111-4222-8333-0123456789ab:***" in server.process.output
        assert "hunter2" not in server.process.output


class TestStop:
    def test_waits_for_no_half_request(self, tmp_path):
        with web_server(tmp_path) as server, connect(server, BEGINNINGS["half a body"]):
            time.sleep(0.5)
            began = time.monotonic()

            server.process.stop()

            assert time.monotonic() - began < 8
