"""What Stripe knows, asked for whole: for resync and reconciliation. Reads only; never call it inside a transaction.

Every function raises GatewayUnavailable and GatewayRefused (`resource_missing`: Stripe knows nothing by that name).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, ParamSpec, TypeVar, cast

import stripe
import structlog
from stripe.params import InvoiceCreatePreviewParams

from payments.stripe_api.gateway import (
    MAX_PAGE_SIZE,
    Answer,
    RateLimited,
    ask,
    ask_one,
    is_in_a_hurry,
    plain_json,
    read_answer,
    stripe_client,
)
from payments.stripe_api.snapshots import Json

# Long runs leave most of Stripe's limit to the buyers: https://docs.stripe.com/rate-limits
CALLS_PER_SECOND = 10.0
# So long a run waits in all, in seconds, for Stripe to have time again; and each time, where Stripe does not say.
RATE_LIMIT_PATIENCE, USUAL_RATE_LIMIT_WAIT = 300.0, 5.0
log = structlog.get_logger(__name__)
P = ParamSpec("P")
T = TypeVar("T")
# What a list is asked for beside itself: see `walk`.
EXPANSIONS: dict[str, list[str]] = {
    "checkout.sessions": ["data.payment_intent.latest_charge"],
    "payment_intents": ["data.latest_charge"],
    "invoices": ["data.payments"],
}


def look_up_session(session: str) -> Answer:
    """A Checkout session; its PaymentIntent and the charge that paid come with it."""
    return ask_one(lambda api: api.checkout.sessions.retrieve(session, {"expand": ["payment_intent.latest_charge"]}))


def look_up_intent(payment_intent: str) -> Answer:
    """A PaymentIntent with its latest charge."""
    return ask_one(lambda api: api.payment_intents.retrieve(payment_intent, {"expand": ["latest_charge"]}))


def look_up_subscription(subscription: str) -> Answer:
    """A subscription, ended ones too."""
    return ask_one(lambda api: api.subscriptions.retrieve(subscription))


def look_up_customer(customer: str) -> Answer:
    """A customer; of a deleted one only that it is (`deleted`)."""
    return ask_one(lambda api: api.customers.retrieve(customer))


def look_up_price(price: str) -> Answer:
    """What is taken for something, how often; archived ones too."""
    return ask_one(lambda api: api.prices.retrieve(price))


def look_up_refund(refund: str) -> Answer:
    """A refund."""
    return ask_one(lambda api: api.refunds.retrieve(refund))


def look_up_dispute(dispute: str) -> Answer:
    """A dispute."""
    return ask_one(lambda api: api.disputes.retrieve(dispute))


def look_up_charge(charge: str) -> Answer:
    """A charge."""
    return ask_one(lambda api: api.charges.retrieve(charge))


def preview_invoice(*, subscription: str, changes: Mapping[str, Any]) -> Answer:
    """The invoice that these changes of the subscription would bring; nothing is done.

    https://docs.stripe.com/api/invoices/create_preview
    """
    told = cast(InvoiceCreatePreviewParams, {"subscription": subscription, "subscription_details": {**changes}})
    return ask_one(lambda api: api.invoices.create_preview(told))


def look_up_invoice(invoice: str) -> Answer:
    """An invoice."""
    return ask_one(lambda api: api.invoices.retrieve(invoice))


def look_up_event(event: str) -> Answer:
    """An event of the last 30 days; `pending_webhooks`: how many endpoints have not confirmed it yet."""
    return ask_one(lambda api: api.events.retrieve(event))


def look_up_account() -> Answer:
    """The account to which the key belongs (https://docs.stripe.com/api/accounts/retrieve)."""
    return ask_one(lambda api: api.accounts.retrieve_current())


def portal_configurations() -> list[Json]:
    """How the Customer Portal may be set up; a session takes the default one
    (https://docs.stripe.com/api/customer_portal/configurations/list).
    """
    return list(walk("billing_portal.configurations", {}))


def sdk_api_version() -> str:
    """The API version that Stripe's library was written for."""
    return str(stripe.api_version)


def webhook_endpoints() -> list[Json]:
    """Where this account's events are sent (https://docs.stripe.com/api/webhook_endpoints/list)."""
    return list(walk("webhook_endpoints", {}))


def invoices_of(subscription: str) -> list[Json]:
    """Every invoice of the subscription with what pays it, the newest first."""
    return list(walk("invoices", {"subscription": subscription}))


def refunds_of(payment_intent: str) -> list[Json]:
    """Every refund of the payment, whatever became of it."""
    return list(walk("refunds", {"payment_intent": payment_intent}))


def disputes_of(payment_intent: str) -> list[Json]:
    """Every dispute of the payment."""
    return list(walk("disputes", {"payment_intent": payment_intent}))


def fraud_warnings_of(payment_intent: str) -> list[Json]:
    """Every warning of a card network about the payment (https://docs.stripe.com/api/radar/early_fraud_warnings/list)."""
    return list(walk("radar.early_fraud_warnings", {"payment_intent": payment_intent}))


def customers_called(email: str) -> list[Json]:
    """Every customer with this address, in its very spelling (https://docs.stripe.com/api/customers/list)."""
    return list(walk("customers", {"email": email}))


def subscriptions_of(customer: str) -> list[Json]:
    """Every subscription of the customer, ended ones too (https://docs.stripe.com/api/subscriptions/list)."""
    return list(walk("subscriptions", {"customer": customer, "status": "all"}))


def walk(what: str, params: Mapping[str, Any]) -> Iterator[Json]:
    """Every object of a list (`refunds`, `checkout.sessions`, …), the newest first, page by page as it is read."""
    return chain.from_iterable(pages(what, params))


def pages(what: str, params: Mapping[str, Any]) -> Iterator[list[Json]]:
    """Every object of a list, a page at a time: each is one call, made when it is asked for, and can be made again."""
    return _Pages(
        what, {"limit": MAX_PAGE_SIZE, **({"expand": EXPANSIONS[what]} if what in EXPANSIONS else {}), **params}
    )


@dataclass(slots=True)
class _Pages:
    """Unlike a generator, it is not over when a call has failed."""

    what: str
    params: dict[str, Any]
    is_over: bool = False

    def __iter__(self) -> "Iterator[list[Json]]":
        return self

    def __next__(self) -> list[Json]:
        if self.is_over:
            raise StopIteration
        page = _page(self.what, self.params)
        rows = _rows(page)
        self.is_over = not rows or not getattr(page, "has_more", False)
        if not rows:
            raise StopIteration
        self.params = {**self.params, "starting_after": rows[-1]["id"]}
        return rows


def _page(what: str, params: Mapping[str, Any]) -> Any:
    return ask(lambda api: _service(api, what).list(params))


def _service(api: Any, what: str) -> Any:
    for name in what.split("."):
        api = getattr(api, name)
    return api


def _rows(page: object) -> list[Json]:
    listed = page.data if isinstance(page, stripe.ListObject) else [page]
    return [read_answer(plain_json, row) for row in listed]


class ThrottledStripe:
    """The calls of one run. Everything raises GatewayUnavailable and GatewayRefused.

    Where Stripe says that these are too many, the run waits as long as Stripe asks, up to `patience` seconds in all.
    """

    def __init__(self, *, calls_per_second: float = CALLS_PER_SECOND, patience: float = 0.0) -> None:
        self.pause = 1 / calls_per_second
        self.patience = patience
        self.next_at = 0.0

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the function of the gateway or the lookups returns, asked when its turn has come."""
        while True:
            self._wait()
            try:
                return function(*args, **kwargs)
            except RateLimited as limit:
                self._wait_out(limit)

    def pages(self, what: str, params: Mapping[str, Any]) -> Iterator[list[Json]]:
        """The pages of a list (`refunds`, `checkout.sessions`, …), the newest objects first; each page is one call."""
        rest = pages(what, params)
        while (page := self.call(next, rest, None)) is not None:
            yield page

    def _wait(self) -> None:
        now = time.monotonic()
        time.sleep(max(0.0, self.next_at - now))
        self.next_at = max(now, self.next_at) + self.pause

    def _wait_out(self, limit: RateLimited) -> None:
        """Raises it where nobody has the time: who looks at a page, or a run that has waited long enough."""
        seconds = USUAL_RATE_LIMIT_WAIT if limit.retry_after is None else max(limit.retry_after, self.pause)
        if is_in_a_hurry() or seconds > self.patience:
            raise limit
        self.patience -= seconds
        log.info("stripe.rate_limited", waits=seconds)
        time.sleep(seconds)


def look_up_thin_event(event: str) -> Answer:
    """A thin event of the last 30 days with its `data`: https://docs.stripe.com/api/v2/core/events/retrieve"""
    return ask_one(lambda _v1: stripe_client().v2.core.events.retrieve(event))
