"""Stripe within the process: the network costs nothing, which flatters dj-stripe; it asks inside a transaction."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import stripe

ACCOUNT = {"id": "acct_1bench", "object": "account", "type": "standard", "country": "FR", "email": "shop@example.com"}


class StripeStub(stripe.HTTPClient):
    """Knows one account, and every Checkout session by the same text."""

    name = "stub"

    def __init__(self, session: str) -> None:
        super().__init__()
        self.session = Path(session).read_text()

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[str, int, dict[str, str]]:
        parts = urlsplit(url).path.strip("/").split("/")
        if parts[1] == "account":
            return json.dumps(ACCOUNT), 200, {}
        if parts[1:3] == ["checkout", "sessions"]:
            return self.session.replace("SESSION_ID", parts[3]), 200, {}
        raise NotImplementedError(f"{method} {url}")

    def close(self) -> None:
        """There is no connection."""
