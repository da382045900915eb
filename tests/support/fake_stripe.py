"""A web server in Stripe's place that answers what the test wants and keeps what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    """One request. `form` is the encoded body as it came."""

    method: str
    path: str
    headers: dict[str, str]
    form: str


@dataclass
class FakeStripe:
    """Answers with `status`, `date` and `body` (a dict as JSON, a text as it is), every time. `statuses`: by method."""

    url: str = ""
    status: int = 200
    statuses: dict[str, int] = field(default_factory=dict)
    body: Any = field(default_factory=dict)
    date: str = ""
    asked: list[Asked] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def refuses(self, status: int, **error: str) -> None:
        """From now on it says no, as Stripe does."""
        self.status, self.body = status, {"error": error}


@contextmanager
def fake_stripe() -> Iterator[FakeStripe]:
    """Runs as long as the block."""
    fake = FakeStripe()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            form = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            fake.asked.append(Asked(self.command, self.path, dict(self.headers), form))
            said = fake.body if isinstance(fake.body, str) else json.dumps(fake.body)
            self.send_response_only(fake.statuses.get(self.command, fake.status))
            if fake.date:
                self.send_header("Date", fake.date)
            for name, value in {"Request-Id": "req_fake", **fake.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.encode())))
            self.end_headers()
            self.wfile.write(said.encode())

        do_GET = do_POST = answer

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
