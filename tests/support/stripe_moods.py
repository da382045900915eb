"""The fake gateway for the clean-up: it counts the calls, and each kind of call can be made to fail."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from payments.checkout import open_checkout as checkout
from payments.stripe_api import gateway
from payments.stripe_api.gateway import GatewayRefused
from payments.stripe_api.snapshots import StripeCheckoutSession
from tests.support.fake_gateway import FakeGateway

FAILED_INTENT = {
    "id": "pi_1",
    "object": "payment_intent",
    "status": "requires_payment_method",
    "last_payment_error": {"code": "debit_failed", "charge": "ch_1"},
}


class MoodyGateway(FakeGateway):
    """`calls` by name; `troubles[name]` is raised instead of an answer; `before_expire` runs when it ends one."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self.troubles: dict[str, Exception] = {}
        self.before_expire: Callable[[], object] = lambda: None

    def retrieve_checkout_session(self, *, session: str) -> StripeCheckoutSession:
        self._called("retrieve")
        return super().retrieve_checkout_session(session=session)

    def expire_checkout_session(self, *, session: str) -> StripeCheckoutSession:
        self._called("expire")
        self.before_expire()
        if self.sessions[session]["status"] != "open":
            raise GatewayRefused(code="", message="Only Checkout Sessions with a status in [open] can be expired.")
        self.sessions[session]["status"] = "expired"
        return StripeCheckoutSession.read(self.sessions[session])

    def create_checkout_session(self, **call: Any) -> StripeCheckoutSession:
        self._called("create")
        return super().create_checkout_session(**call)

    def _called(self, name: str) -> None:
        self.calls[name] += 1
        if trouble := self.troubles.get(name):
            raise trouble

    def becomes(self, session: str, **fields: Any) -> None:
        """What the buyer, the bank or time did to the session."""
        self.sessions[session] |= fields

    def is_paid(self, session: str) -> None:
        intent = {"id": f"pi_{session}", "object": "payment_intent", "status": "succeeded"}
        self.becomes(session, status="complete", payment_status="paid", payment_intent=intent)


def stand_in(monkeypatch: pytest.MonkeyPatch) -> MoodyGateway:
    """Put it where the real gateway is, for as long as the test runs."""
    fake = MoodyGateway()
    for name in ("create_checkout_session", "retrieve_checkout_session", "expire_checkout_session"):
        monkeypatch.setattr(gateway, name, getattr(fake, name))
    for name in ("create_checkout_session", "retrieve_checkout_session"):
        monkeypatch.setattr(checkout, name, getattr(fake, name))
    return fake
