"""The gateway without a network: sessions in memory, one for each key, and the troubles that a test asks for."""

import copy
from collections.abc import Mapping
from typing import Any

from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.stripe_api.snapshots import CheckoutSession

SHORTEST_SESSION = 30 * 60


class FakeGateway:
    """`sessions` by id, as Stripe would show them; `asked` are the parameters of each call that made one."""

    def __init__(self) -> None:
        self.now = 0
        self.sessions: dict[str, dict[str, Any]] = {}
        self.asked: list[Mapping[str, Any]] = []
        self.keys: dict[str, str] = {}
        self._params: dict[str, Mapping[str, Any]] = {}
        self._troubles: list[tuple[Exception, bool]] = []

    def will(self, trouble: Exception, *, after_doing: bool = False) -> None:
        """Raise it at the next call that makes a session, before or (its answer is lost) after having made it."""
        self._troubles.append((trouble, after_doing))

    def create_checkout_session(self, *, params: Mapping[str, Any], idempotency_key: str) -> CheckoutSession:
        trouble, after_doing = self._troubles.pop(0) if self._troubles else (None, True)
        if trouble and not after_doing:
            raise trouble
        session = self._make(params, key=idempotency_key)
        if trouble:
            raise trouble
        return CheckoutSession.read(session)

    def retrieve_checkout_session(self, *, session: str) -> CheckoutSession:
        if session not in self.sessions:
            raise GatewayRefused(code="resource_missing", message=f"No such checkout.session: {session}")
        return CheckoutSession.read(copy.deepcopy(self.sessions[session]))

    def expire_checkout_session(self, *, session: str) -> CheckoutSession:
        if self.sessions[session]["status"] != "open":
            raise GatewayRefused(code="", message="Only Checkout Sessions with a status in [open] can be expired.")
        self.sessions[session]["status"] = "expired"
        return self.retrieve_checkout_session(session=session)

    def _make(self, params: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        if key in self.keys:
            if self._params[key] != params:
                raise GatewayRefused(code="idempotency_error", message="The key was used for something else.")
            return self.sessions[self.keys[key]]
        if params["expires_at"] < self.now + SHORTEST_SESSION:
            raise GatewayRefused(code="", message="The `expires_at` timestamp must be at least 30 minutes from now.")
        self.asked.append(params)
        self._params[key] = copy.deepcopy(params)
        self.keys[key] = f"cs_test_{len(self.asked)}"
        self.sessions[self.keys[key]] = self._session(self.keys[key], params)
        return self.sessions[self.keys[key]]

    @staticmethod
    def _session(id: str, params: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "id": id,
            "object": "checkout.session",
            "status": "open",
            "payment_status": "unpaid",
            "payment_intent": None,
            "mode": params["mode"],
            "url": f"https://pay.example/{id}",
            "expires_at": params["expires_at"],
            "metadata": params["metadata"],
            "amount_total": params["line_items"][0]["price_data"]["unit_amount"],
            "currency": params["line_items"][0]["price_data"]["currency"],
        }


def unavailable() -> GatewayUnavailable:
    """Nobody knows how the call ended."""
    return GatewayUnavailable("Stripe is not available at the moment (no answer).")


def refused(code: str = "amount_too_small") -> GatewayRefused:
    """Stripe says no."""
    return GatewayRefused(code=code, message="The amount is too small.", request_id="req_1")
