"""The generator: deliveries signed beforehand, sent over connections that are kept, by one process that waits for all.

It only writes bytes and looks for a status, so that the server is what is measured: some 50 µs of CPU per request.
"""

import json
import math
import re
import secrets
import socket
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from selectors import EVENT_READ, DefaultSelector

from django.conf import settings

from benchmarks.measure import NotClean
from payments.samples.events import sample_event
from payments.samples.story import CURRENT_SHAPE, Json, SampleSubject
from payments.stripe_api.signature import sign

CONNECTIONS = 16
SILENCE_SECONDS = 30.0
STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
HEAD_END = b"\r\n\r\n"
# Stands in every id of the template; each request has its own instead.
MARK = "0ddba11c0ffe"


def sample_delivery() -> Json:
    """A completed checkout as Stripe tells of it, about an order that is not here."""
    subject = SampleSubject(
        order=f"00000000-0000-4000-8000-{MARK}", registration=f"11111111-0000-4000-8000-{MARK}",
        site=settings.SITE_NAME, attempt=1, amount=4900, currency="eur", email=f"{MARK}@example.com",
        name="Ada Lovelace", livemode=True, session=f"cs_live_a1{'b' * 44}{MARK}",
        payment_intent=f"pi_3{'M' * 11}{MARK}",
    )  # fmt: skip
    return sample_event(
        "checkout.session.completed", subject=subject, shape=CURRENT_SHAPE, at=datetime.now(UTC),
        event_id=f"evt_1{'N' * 11}{MARK}",
    )  # fmt: skip


def deliveries(count: int, *, path: str, secret: str) -> list[bytes]:
    """So many requests with ids of their own, signed now."""
    template = body_of(sample_delivery())
    bodies = (template.replace(MARK.encode(), secrets.token_hex(6).encode()) for _number in range(count))
    return [request(body, path=path, secret=secret) for body in bodies]


def body_of(event: Json) -> bytes:
    """The bytes that Stripe sends: pretty-printed JSON."""
    return json.dumps(event, indent=2).encode()


def request(body: bytes, *, path: str, secret: str) -> bytes:
    """The whole request as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\n"
        f"Accept: */*; q=0.5, application/xml\r\nContent-Type: application/json; charset=utf-8\r\n"
        f"Stripe-Signature: {sign(body, secret, int(time.time()))}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass
class Sent:
    """What became of the requests, by their numbers; moments are those of `time.perf_counter`."""

    began: float
    ended: float = 0.0
    sent_at: dict[int, float] = field(default_factory=dict)
    answered_at: dict[int, float] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def accepted(self) -> int:
        return self.statuses[200]

    @property
    def rate(self) -> float:
        return self.accepted / (self.ended - self.began)

    def waits(self, *, after: int = 0) -> list[float]:
        """Seconds from sending to the answer, of the requests from number `after` on."""
        return [at - self.sent_at[number] for number, at in self.answered_at.items() if number >= after]

    def must_be_accepted(self) -> None:
        """Raises NotClean unless all answers were 200."""
        if set(self.statuses) != {200}:
            raise NotClean(f"answers {dict(self.statuses)}")


class Wire:
    """One connection that is kept; `number`: of the request that waits for an answer."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SILENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number, self.data = -1, b""

    def send(self, number: int, raw: bytes) -> None:
        self.number, self.data = number, b""
        self.socket.sendall(raw)

    def status(self) -> int:
        """Of the answer, once all of it is there; 0 before."""
        piece = self.socket.recv(65536)
        if not piece:
            raise NotClean("the server has closed a connection")
        self.data += piece
        body_at = self.data.find(HEAD_END) + len(HEAD_END)
        if body_at < len(HEAD_END):
            return 0
        status, length = STATUS.match(self.data), LENGTH.search(self.data, 0, body_at)
        if status is None or length is None:
            raise NotClean(f"an answer that begins with {self.data[:80]!r}")
        return int(status[1]) if len(self.data) >= body_at + int(length[1]) else 0


def send(port: int, requests: Sequence[bytes], *, per_second: float = math.inf, seconds: float = math.inf) -> Sent:
    """Send them over 16 connections: as fast as answers come, or as many per second. After `seconds` no more are sent.

    Raises NotClean where the server hangs up or falls silent.
    """
    with ExitStack() as stack:
        free = deque(Wire(port) for _number in range(CONNECTIONS))
        selector = stack.enter_context(DefaultSelector())
        for wire in free:
            stack.callback(wire.socket.close)
            selector.register(wire.socket, EVENT_READ, wire)
        sent, number = Sent(began=time.perf_counter()), 0
        while True:
            now = time.perf_counter() - sent.began
            is_over = number == len(requests) or now > seconds
            if is_over and len(free) == CONNECTIONS:
                break
            if not is_over and free and number / per_second <= now:
                sent.sent_at[number] = time.perf_counter()
                free.popleft().send(number, requests[number])
                number += 1
                continue
            is_paused = not is_over and bool(free)
            ready = selector.select(number / per_second - now if is_paused else SILENCE_SECONDS)
            if not ready and not is_paused:
                raise NotClean(f"no answer for {SILENCE_SECONDS:.0f} s")
            for key, _mask in ready:
                _take(key.data, sent, free)
        sent.ended = time.perf_counter()
    return sent


def _take(wire: Wire, sent: Sent, free: deque[Wire]) -> None:
    if status := wire.status():
        sent.answered_at[wire.number] = time.perf_counter()
        sent.statuses[status] += 1
        free.append(wire)
