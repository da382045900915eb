"""The gateway without a network: sessions and refunds in memory, one for each key, and the troubles asked for."""

import copy
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from payments.stripe_api import clock
from payments.stripe_api.endpoints import NewEndpoint
from payments.stripe_api.gateway import Answer, GatewayRefused, GatewayUnavailable, RefundReason
from payments.stripe_api.snapshots import Json, StripeCheckoutSession, StripeEntry, StripePayout, StripeRefund

SHORTEST_SESSION = 30 * 60
T = TypeVar("T")


class FakeGateway:
    """`sessions` by id, as Stripe would show them; `asked` are the parameters of each call that made one.

    `refunds` as Stripe would show them; every PaymentIntent has 49.00 in `money` to begin with.
    """

    def __init__(self) -> None:
        self.refunds: list[dict[str, Any]] = []
        self.money: defaultdict[str, int] = defaultdict(lambda: 4900)
        self.now = 0
        self.asked_at: datetime | None = None
        self.sessions: dict[str, dict[str, Any]] = {}
        self.asked: list[Mapping[str, Any]] = []
        self.keys: dict[str, str] = {}
        self._params: dict[str, Mapping[str, Any]] = {}
        self._refund_calls: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
        self._troubles: list[tuple[BaseException, bool]] = []

    def will(self, trouble: BaseException, *, after_doing: bool = False) -> None:
        """Raise it at the next call that makes something, before or (its answer is lost) after having made it."""
        self._troubles.append((trouble, after_doing))

    def create_checkout_session(self, *, params: Mapping[str, Any], idempotency_key: str) -> StripeCheckoutSession:
        trouble, after_doing = self._troubles.pop(0) if self._troubles else (None, True)
        if trouble and not after_doing:
            raise trouble
        session = self._make(params, key=idempotency_key)
        if trouble:
            raise trouble
        return StripeCheckoutSession.read(session)

    def retrieve_checkout_session(self, *, session: str) -> StripeCheckoutSession:
        if session not in self.sessions:
            raise GatewayRefused(code="resource_missing", message=f"No such checkout.session: {session}")
        return StripeCheckoutSession.read(copy.deepcopy(self.sessions[session]))

    def expire_checkout_session(self, *, session: str) -> StripeCheckoutSession:
        if self.sessions[session]["status"] != "open":
            raise GatewayRefused(code="", message="Only Checkout Sessions with a status in [open] can be expired.")
        self.sessions[session]["status"] = "expired"
        return self.retrieve_checkout_session(session=session)

    def create_refund(
        self,
        *,
        payment_intent: str,
        amount: int | None,
        reason: RefundReason,
        metadata: Mapping[str, str],
        idempotency_key: str,
    ) -> StripeRefund:
        trouble, after_doing = self._troubles.pop(0) if self._troubles else (None, True)
        if trouble and not after_doing:
            raise trouble
        params = {"payment_intent": payment_intent, "amount": amount, "reason": reason, "metadata": {**metadata}}
        refund = self._give_back(params, key=idempotency_key)
        if trouble:
            raise trouble
        return StripeRefund.read(refund)

    def list_refunds(self, *, payment_intent: str) -> list[StripeRefund]:
        rows = [row for row in self.refunds if row["payment_intent"] == payment_intent]
        return [StripeRefund.read(row) for row in reversed(rows)]

    def forget_keys(self) -> None:
        """Stripe keeps idempotency keys for a day."""
        self._refund_calls.clear()

    def _give_back(self, params: dict[str, Any], *, key: str) -> dict[str, Any]:
        if key in self._refund_calls:
            before, made = self._refund_calls[key]
            if before != params:
                raise GatewayRefused(code="idempotency_error", message="The key was used for something else.")
            return made
        left = self.money[params["payment_intent"]]
        if not left:
            raise GatewayRefused(code="charge_already_refunded", message="The charge has already been refunded.")
        amount = left if params["amount"] is None else params["amount"]
        if amount > left:
            raise GatewayRefused(code="", message="Refund amount is greater than unrefunded amount on charge.")
        self.money[params["payment_intent"]] -= amount
        id = f"re_{len(self.refunds) + 1}"
        made = {**params, "id": id, "object": "refund", "amount": amount, "currency": "eur", "status": "succeeded"}
        self.refunds.append(made)
        self._refund_calls[key] = (params, made)
        return made

    def _make(self, params: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        if key in self.keys:
            if self._params[key] != params:
                raise GatewayRefused(code="idempotency_error", message="The key was used for something else.")
            return self.sessions[self.keys[key]]
        if params["expires_at"] < self.now + SHORTEST_SESSION:
            # Its answer carries its own time, as every answer does.
            now, here = datetime.fromtimestamp(self.now, tz=UTC), self.asked_at or datetime.now(UTC)
            clock.learn(said_at=now, asked_at=here, heard_at=here)
            message = "The `expires_at` timestamp must be at least 30 minutes from now."
            raise GatewayRefused(code="parameter_invalid", message=message, param="expires_at")
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


class FakeBalance:
    """Stripe's balance without a network: `payouts` and `entries` as Stripe would show them, the newest first.

    `trouble` is raised instead of any answer; `asked`: of which payouts the entries were asked for.
    """

    def __init__(self) -> None:
        self.payouts: list[dict[str, Any]] = []
        self.entries: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.trouble: Exception | None = None
        self._payout_of: dict[str, str] = {}

    def pay_out(self, *entries: dict[str, Any], **different: Any) -> dict[str, Any]:
        """A payout of these entries, at the bank; what is `different` from that is told as Stripe would."""
        number, created = len(self.payouts) + 1, max((each["created"] for each in entries), default=0)
        made = {
            "id": f"po_{number}", "object": "payout", "amount": sum(each["net"] for each in entries),
            "currency": "eur", "status": "paid", "automatic": True, "reconciliation_status": "completed",
            "arrival_date": created + 86_400, "created": created, "livemode": False, **different,
        }  # fmt: skip
        own = balance_entry(made, amount=-made["amount"], type="payout")
        self.payouts.insert(0, made)
        for each in (*entries, own):
            self._payout_of[each["id"]] = made["id"]
            self.entries.insert(0, each)
        return made

    def payouts_since(self, stripe: object, *, since: datetime) -> Iterator[list[StripePayout]]:
        return self._pages(StripePayout.read, [each for each in self.payouts if _is_since(each, since)])

    def look_up_payout(self, stripe: object, *, payout: str) -> StripePayout:
        for each in self.payouts:
            if each["id"] == payout:
                return StripePayout.read(each)
        raise GatewayRefused(code="resource_missing", message=f"No such payout: '{payout}'")

    def entries_since(self, stripe: object, *, since: datetime) -> Iterator[list[StripeEntry]]:
        return self._pages(StripeEntry.read, [each for each in self.entries if _is_since(each, since)])

    def entries_of(self, stripe: object, *, payout: str) -> Iterator[list[StripeEntry]]:
        self.asked.append(payout)
        inside = [each for each in self.entries if self._payout_of.get(each["id"]) == payout]
        return self._pages(StripeEntry.read, inside)

    def _pages(self, read: Callable[[Json], T], rows: list[dict[str, Any]]) -> Iterator[list[T]]:
        if self.trouble:
            raise self.trouble
        yield [read(each) for each in rows]


def balance_entry(source: dict[str, Any], *, amount: int, fee: int = 0, **different: Any) -> dict[str, Any]:
    """A balance transaction about this object, which stands inside as if it had been expanded."""
    usual = {
        "id": f"txn_{source['id']}", "object": "balance_transaction", "type": "charge", "currency": "eur",
        "created": source["created"], "available_on": source["created"], "source": source,
    }  # fmt: skip
    told = {**usual, "amount": amount, "fee": fee, "net": amount - fee, **different}
    return {"reporting_category": told["type"], **told}


def _is_since(row: Mapping[str, Any], since: datetime) -> bool:
    return bool(row["created"] >= int(since.timestamp()))


class FakeAccount:
    """What belongs to the account, without a network: itself, prices, the portal, webhook endpoints, events.

    `trouble` is raised instead of any answer; `secrets` by the endpoint's id.
    """

    def __init__(self) -> None:
        self.account: dict[str, Any] = {
            "id": "acct_1", "object": "account", "charges_enabled": True,
            "settings": {"dashboard": {"display_name": "The shop"}},
        }  # fmt: skip
        self.portals: list[dict[str, Any]] = [{"id": "bpc_1", "is_default": True, "active": True}]
        self.prices: dict[str, dict[str, Any]] = {}
        self.endpoints: list[dict[str, Any]] = []
        self.secrets: dict[str, str] = {}
        self.events: list[dict[str, Any]] = []
        self.trouble: Exception | None = None

    def look_up_account(self) -> Answer:
        return self._answer(self.account)

    def look_up_price(self, price: str) -> Answer:
        if price not in self.prices:
            raise GatewayRefused(code="resource_missing", message=f"No such price: {price}")
        return self._answer(self.prices[price])

    def portal_configurations(self) -> list[Json]:
        self._answer({})
        return [*self.portals]

    def webhook_endpoints(self) -> list[Json]:
        self._answer({})
        return copy.deepcopy([*self.endpoints])

    def pages(self, what: str, params: Mapping[str, Any]) -> Iterator[list[Json]]:
        assert what == "events"
        yield [each for each in self.events if each["created"] > params["created"]["gt"]]

    def create_endpoint(
        self, *, url: str, events: Sequence[str], version: str, description: str, metadata: Mapping[str, str]
    ) -> NewEndpoint:
        self._answer({})
        made = NewEndpoint(f"we_{len(self.secrets) + 101}", f"whsec_{len(self.secrets) + 101}")
        self.secrets[made.id] = made.secret
        self.endpoints.insert(0, {
            "id": made.id, "object": "webhook_endpoint", "url": url, "enabled_events": list(events),
            "status": "enabled", "api_version": version, "description": description, "metadata": {**metadata},
            "created": int(datetime.now(UTC).timestamp()),
        })  # fmt: skip
        return made

    def update_endpoint(self, *, endpoint: str, params: Mapping[str, Any]) -> Answer:
        row = self._endpoint(endpoint)
        row |= {name: value for name, value in params.items() if name != "disabled"}
        if "disabled" in params:
            row["status"] = "disabled" if params["disabled"] else "enabled"
        return self._answer(copy.deepcopy(row))

    def delete_endpoint(self, *, endpoint: str) -> Answer:
        self.endpoints.remove(self._endpoint(endpoint))
        return self._answer({"id": endpoint, "object": "webhook_endpoint", "deleted": True})

    def _endpoint(self, id: str) -> dict[str, Any]:
        for row in self.endpoints:
            if row["id"] == id:
                return row
        raise GatewayRefused(code="resource_missing", message=f"No such webhook endpoint: '{id}'")

    def _answer(self, raw: Json) -> Answer:
        if self.trouble:
            raise self.trouble
        return Answer(raw, datetime.now(UTC))


def unavailable() -> GatewayUnavailable:
    """Nobody knows how the call ended."""
    return GatewayUnavailable("Stripe is not available at the moment (no answer).")


def refused(code: str = "amount_too_small") -> GatewayRefused:
    """Stripe says no."""
    return GatewayRefused(code=code, message="The amount is too small.", request_id="req_1")
