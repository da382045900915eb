"""A real HTTP receiver of webhooks on a free port of this machine; it keeps what comes and answers as told."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stripe


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        return json.loads(self.body)

    @property
    def signature(self) -> str:
        return self.headers["Stripe-Signature"]

    def is_signed_with(self, secret: str) -> bool:
        """By the words of Stripe's own client."""
        try:
            return stripe.WebhookSignature.verify_header(self.body.decode(), self.signature, secret, tolerance=300)
        except stripe.SignatureVerificationError:
            return False


@dataclass
class Receiver:
    """What came so far. `answers` are used up one by one; then it answers `usual`."""

    port: int
    received: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    usual: int = 200
    text: str = "taken"
    seconds: float = 0.0
    """How long every answer takes."""
    may_answer: threading.Event = field(default_factory=threading.Event)
    """While it is cleared, nobody gets an answer."""

    def __post_init__(self) -> None:
        self.may_answer.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    @property
    def events(self) -> list[Any]:
        return [each.event for each in self.received]


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """It listens until the block ends."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                receiver.received.append(Received(dict(self.headers.items()), body))
                status = receiver.answers.pop(0) if receiver.answers else receiver.usual
            time.sleep(receiver.seconds)
            receiver.may_answer.wait()
            self._answer(status, receiver.text.encode())

        def _answer(self, status: int, text: bytes) -> None:
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", receiver.url)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(server.server_address[1])
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield receiver
        finally:
            receiver.may_answer.set()
            server.shutdown()
