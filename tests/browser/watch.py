"""Looks over a visitor's shoulder: what the browser complains about, and where it went besides."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response

HERE = "127.0.0.1"
REFUSED = 400


class Watch:
    """`complaints` must stay empty: console errors, scripts that fail, a broken CSP, what is missing or elsewhere."""

    def __init__(self, context: BrowserContext) -> None:
        self.complaints: list[str] = []
        self._refusals: list[tuple[str, int]] = []
        self._expected: int | None = None
        context.on("console", self._hear)
        context.on("weberror", lambda trouble: self.complaints.append(f"script: {trouble.error}"))
        context.on("request", self._see)
        context.on("response", self._weigh)

    @contextmanager
    def expecting(self, status: int) -> Iterator[None]:
        """What the visitor does here ends on a page with this status, once; the browser may say so on its console."""
        self._refusals, self._expected = [], status
        yield
        assert [code for _address, code in self._refusals] == [status]
        self._expected = None

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        # It notes each failed answer; those that were expected are the page itself.
        if any(message.location["url"] == url and f" {code} " in message.text for url, code in self._refusals):
            return
        self.complaints.append(f"console: {message.text} ({message.location['url']})")

    def _see(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme != "data" and parts.hostname != HERE:
            self.complaints.append(f"elsewhere: {request.url}")

    def _weigh(self, response: Response) -> None:
        if response.status < REFUSED:
            return
        if response.request.is_navigation_request() and response.status == self._expected:
            self._refusals.append((response.url, response.status))
        else:
            self.complaints.append(f"{response.status}: {response.url}")
