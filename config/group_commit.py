"""Group commit of deliveries: a thread takes all that have arrived meanwhile, has them recorded by one commit, and
answers those that were; what it cannot answer goes on to the threads of the web server (docs/adr/0019-group-commit.md).
"""

import re
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Protocol
from uuid import uuid4

import structlog
from django.utils.module_loading import import_string
from gunicorn import http, util  # type: ignore[import-untyped]

from config.middleware import REQUEST_ID, WEBHOOK_ADDRESS, WEBHOOK_PATH, accepted

log = structlog.get_logger(__name__)
# What one statement keeps: more would make the first wait for the last.
LARGEST_GROUP = 64
BEGINNING = re.compile(f"POST {WEBHOOK_ADDRESS}[ ?]".encode())
RECORDER = "payments.webhook.group_commit"


class Delivery(Protocol):
    """What payments.webhook.group_commit is given of a request."""

    body: bytes
    request_id: str


Commit = Callable[[Sequence[Any]], list[bytes | None]]


class Answered:
    """A connection whose request was answered; `keeps_open`: it may bring another one."""

    def __init__(self, conn: Any, *, keeps_open: bool) -> None:
        self.conn, self.keeps_open = conn, keeps_open


def looks_like_delivery(data: bytes | bytearray) -> bool:
    """By the first bytes alone."""
    return BEGINNING.match(data) is not None


class GroupCommit:
    """One for each process of the web server. `hand_back`: called with what is answered, and with what is not."""

    def __init__(self, cfg: Any, hand_back: Callable[[list[Answered], list[Any]], None]) -> None:
        self.cfg, self.hand_back = cfg, hand_back
        self.commit: Commit = import_string(f"{RECORDER}.commit_group")
        self.delivery: Callable[..., Delivery] = import_string(f"{RECORDER}.Delivery")
        self._waiting: SimpleQueue[tuple[Any, bytes, float] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    def take(self, conn: Any, data: bytes) -> None:
        """A whole request that looks like a delivery; costs microseconds."""
        self._waiting.put((conn, data, time.perf_counter()))

    def stop(self) -> None:
        """Answer what has arrived, and end."""
        self._waiting.put(None)
        self._thread.join(timeout=self.cfg.graceful_timeout)

    def _run(self) -> None:
        is_open = True
        while is_open:
            batch = [self._waiting.get()]
            try:
                while len(batch) < LARGEST_GROUP:
                    batch.append(self._waiting.get_nowait())
            except Empty:
                pass
            is_open = None not in batch
            try:
                self._serve([each for each in batch if each is not None])
            except Exception:  # the next ones must not wait for ever
                log.exception("group_commit.stumbled", deliveries=len(batch))

    def _serve(self, batch: Sequence[tuple[Any, bytes, float]]) -> None:
        """Whatever goes wrong here, the ordinary way is open."""
        answered: list[Answered] = []
        rest = [conn for conn, _data, _began in batch]
        try:
            requests = [(conn, *self._read(conn, data, began)) for conn, data, began in batch]
            readable = [(conn, head, delivery) for conn, head, delivery in requests if delivery]
            bodies = self.commit([delivery for _conn, _head, delivery in readable])
            for (conn, head, delivery), body in zip(readable, bodies, strict=True):
                if body is not None:
                    rest.remove(conn)
                    answered.append(Answered(conn, keeps_open=_send(conn, head, delivery, body)))
        except Exception:
            log.exception("group_commit.failed", deliveries=len(batch))
        self.hand_back(answered, rest)

    def _read(self, conn: Any, data: bytes, began: float) -> tuple[Any, Delivery | None]:
        """The request as gunicorn reads it: here as in its threads nobody else decides what a request is."""
        parser = http.RequestParser(self.cfg, [data], conn.client)
        try:
            head = next(parser)
            body = head.body.read()
        except Exception:  # noqa: BLE001 - the ordinary way says what is wrong with it
            return None, None
        headers = dict(head.headers)
        is_plain = head.method == "POST" and WEBHOOK_PATH.match(head.path) and len(headers) == len(head.headers)
        if not is_plain or headers.get("CONTENT-LENGTH") != str(len(body)) or parser.unreader.buf.getvalue():
            return None, None
        request_id = accepted(headers.get(REQUEST_ID.upper(), "")) or uuid4().hex
        return head, self.delivery(
            path=head.path, host=headers.get("HOST", ""), signature=headers.get("STRIPE-SIGNATURE", ""), body=body,
            request_id=request_id, began=began,
        )  # fmt: skip


def _send(conn: Any, head: Any, delivery: Delivery, body: bytes) -> bool:
    """Say 200. Returns whether the connection stays open: who has gone meanwhile has the event kept all the same."""
    keeps_open = not head.should_close()
    answer = (
        f"HTTP/{head.version[0]}.{head.version[1]} 200 OK\r\nDate: {util.http_date()}\r\n"
        f"Connection: {'keep-alive' if keeps_open else 'close'}\r\nContent-Type: application/json\r\n"
        f"{REQUEST_ID}: {delivery.request_id}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    # Whoever lets the answers of earlier requests lie is not waited for.
    conn.sock.setblocking(False)
    try:
        conn.sock.sendall(answer.encode("latin-1") + body)
    except OSError:
        return False
    return keeps_open
