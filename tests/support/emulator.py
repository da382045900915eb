"""Stripe's official client, speaking to the emulator inside the test's own transaction, and its deliveries."""

from collections.abc import Mapping
from typing import Any

import stripe
from django.conf import settings
from django.test import Client
from django.test.client import ClientHandler
from django.utils import translation
from django.utils.translation import get_language
from requests.structures import CaseInsensitiveDict
from stripe import HTTPClient, StripeClient

from stripe_emulator.events.deliver import claim, send

BASE = "http://emulator.invalid"
FORM = "application/x-www-form-urlencoded"


def send_due(limit: int) -> int:
    """Send up to so many due deliveries, one after another, as the loop would. Returns how many were sent."""
    claimed = claim(limit)
    for pk in claimed:
        send(pk)
    return len(claimed)


class EmulatorHandler(ClientHandler):
    """Leads one request to the emulator: a setting would lead those of every thread there."""

    def get_response(self, request: Any) -> Any:
        request.urlconf = "stripe_emulator.urls"
        return super().get_response(request)


class InProcess(HTTPClient):
    """The SDK's door to the network, leading to the emulator's view; nothing of either side is left out."""

    name = "in-process"

    def __init__(self) -> None:
        super().__init__()
        self.client = Client(raise_request_exception=True)
        self.client.handler = EmulatorHandler()

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        told = {name: value for name, value in (headers or {}).items() if name.lower() != "content-type"}
        path = url.removeprefix(BASE)
        # A request chooses a language for its thread: over the network it would be another thread's.
        with translation.override(get_language()):
            answer = self.client.generic(method.upper(), path, post_data or "", content_type=FORM, headers=told)
        return answer.content.decode(), answer.status_code, CaseInsensitiveDict(answer.headers)

    def close(self) -> None:
        """There is no connection."""


def official_client(*, key: str | None = None, version: str | None = None) -> StripeClient:
    """As the product's gateway makes it: the pinned version, no retries of its own."""
    return StripeClient(
        key or settings.STRIPE_SECRET_KEY,
        stripe_version=version or settings.STRIPE_API_VERSION,
        base_addresses={"api": BASE},
        http_client=InProcess(),
        max_network_retries=0,
    )


def refusal_of(call: Any, *args: Any, **kwargs: Any) -> stripe.StripeError:
    """The error that the SDK makes of a refusal; fails if there is none."""
    try:
        call(*args, **kwargs)
    except stripe.StripeError as refusal:
        return refusal
    raise AssertionError("nothing was refused")
