"""Every outgoing call to Stripe. Never call it inside a transaction: an answer may take a minute."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Literal, TypeVar, cast

import requests
import stripe
from django.conf import settings
from stripe.params import CustomerCreateParams, CustomerUpdateParams, RefundCreateParams, SubscriptionUpdateParams
from stripe.params.billing_portal import SessionCreateParams as PortalParams
from stripe.params.checkout import SessionCreateParams

from config.seen import Seen, seen
from payments.stripe_api import clock
from payments.stripe_api.snapshots import Json, MalformedObject, StripeCheckoutSession, StripeCustomer, StripeRefund
from payments.stripe_api.snapshots.reading import find_text

CONNECT_TIMEOUT_SECONDS, ANSWER_TIMEOUT_SECONDS = 3.05, 20.0
MAX_RETRIES = 2
# Somebody waits for the page: what takes longer is no answer.
HURRIED_TIMEOUT_SECONDS = 5.0

# A switch of the whole library: it would send timings to Stripe and write a file in the user's home.
stripe.enable_telemetry = False


_is_hurried: ContextVar[bool] = ContextVar("is_hurried", default=False)
# Stripe repeats parts of a key in its own sentences.
KEY = re.compile(r"\b[a-z]{2}_(?:live|test|org)_[\w*]+")
MAX_MESSAGE_LENGTH = 500
MAX_PAGE_SIZE = 100
RefundReason = Literal["duplicate", "requested_by_customer"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """One object as plain JSON, and when Stripe said so (by its own clock, UTC)."""

    raw: Json
    said_at: datetime


class GatewayUnavailable(Exception):
    """Stripe cannot be reached or has no time. Nobody knows what was done: call again with the same key."""

    tally = "unavailable"


class RateLimited(GatewayUnavailable):
    """Stripe has no time for so many calls, and has carried out none. `retry_after`: in how many seconds it may."""

    tally = "rate_limited"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class GatewayRefused(Exception):
    """Stripe has answered no, and nothing was done. `code`, `message` and `param` (which parameter is wrong) are
    Stripe's; the message names no secret.

    `is_declined`: not Stripe says no, but the bank of the one who pays.
    """

    def __init__(
        self, *, code: str, message: str, request_id: str = "", is_declined: bool = False, param: str = ""
    ) -> None:
        super().__init__(message)
        self.tally = "declined" if is_declined else "refused"
        self.code, self.message, self.request_id, self.is_declined = code, message, request_id, is_declined
        self.param = param


class KeyRefused(GatewayRefused):
    """There is no key, or Stripe does not know it: whatever else is asked is refused as well."""


def create_checkout_session(*, params: Mapping[str, Any], idempotency_key: str) -> StripeCheckoutSession:
    """A new session; the same key with the same parameters gives the same one, for at least 24 hours.

    https://docs.stripe.com/api/checkout/sessions/create Raises GatewayUnavailable, GatewayRefused.
    """
    told = cast(SessionCreateParams, {**params})
    return _session(lambda api: api.checkout.sessions.create(told, {"idempotency_key": idempotency_key}))


def retrieve_checkout_session(*, session: str) -> StripeCheckoutSession:
    """The session as it is now; `raw` carries its PaymentIntent whole. Raises GatewayUnavailable, GatewayRefused."""
    return _session(lambda api: api.checkout.sessions.retrieve(session, {"expand": ["payment_intent"]}))


def expire_checkout_session(*, session: str) -> StripeCheckoutSession:
    """End a session so that nobody can pay in it any more.

    Raises GatewayRefused where it is not open: it may have been paid meanwhile, so look. Raises GatewayUnavailable.
    """
    return _session(lambda api: api.checkout.sessions.expire(session))


def create_refund(
    *,
    payment_intent: str,
    amount: int | None,
    reason: RefundReason,
    metadata: Mapping[str, str],
    idempotency_key: str,
) -> StripeRefund:
    """Give back `amount` minor units of the payment, or (None) all that is left of it; the same key gives once.

    https://docs.stripe.com/api/refunds/create The money may still be on its way, or come back: the events tell.
    Raises GatewayUnavailable, or GatewayRefused with the code `charge_already_refunded`, `charge_disputed`, ….
    """
    params: RefundCreateParams = {"payment_intent": payment_intent, "reason": reason, "metadata": {**metadata}}
    if amount is not None:
        params["amount"] = amount
    return read_answer(
        StripeRefund.read, ask(lambda api: api.refunds.create(params, {"idempotency_key": idempotency_key}))
    )


def list_refunds(*, payment_intent: str) -> list[StripeRefund]:
    """Every refund of the payment, whatever became of it, the newest first.

    https://docs.stripe.com/api/refunds/list Raises GatewayUnavailable, GatewayRefused.
    """
    rows = ask(lambda api: _all(api.refunds.list({"payment_intent": payment_intent, "limit": MAX_PAGE_SIZE})))
    return [read_answer(StripeRefund.read, row) for row in cast("list[object]", rows)]


def _all(page: object) -> list[object]:
    """The rows of this page and of those behind it. Something else stays as it is, for `_read` to refuse."""
    return list(page.auto_paging_iter()) if isinstance(page, stripe.ListObject) else [page]


def _session(call: Callable[[Any], object]) -> StripeCheckoutSession:
    return read_answer(StripeCheckoutSession.read, ask(call))


def read_answer(read: Callable[[Json], T], answer: object) -> T:
    """The answer in our words. Raises GatewayUnavailable where it is not Stripe's."""
    try:
        # A proxy or a login page may answer in Stripe's place with anything, a list for example.
        return read(answer.to_dict(for_json=True) if isinstance(answer, stripe.StripeObject) else {})
    except MalformedObject as error:
        raise GatewayUnavailable("What answers in Stripe's place is not Stripe.") from error


def ask(call: Callable[[Any], object]) -> object:
    """One call through the client's `v1`. Raises GatewayUnavailable, GatewayRefused."""
    if not settings.STRIPE_SECRET_KEY:
        raise KeyRefused(code="no_key", message="STRIPE_SECRET_KEY is not set, so Stripe cannot be asked.")
    asked_at, began = datetime.now(UTC), time.perf_counter()
    try:
        answer = call(stripe_client().v1)
    except stripe.StripeError as error:
        _learn_clock(error.headers, asked_at=asked_at)
        trouble = _in_our_words(error)
        seen.append((Seen.STRIPE_CALL, trouble.tally, time.perf_counter() - began))
    else:
        _learn_clock(getattr(getattr(answer, "last_response", None), "headers", None), asked_at=asked_at)
        seen.append((Seen.STRIPE_CALL, "ok", time.perf_counter() - began))
        return answer
    # Raised out here, ours lets go of the library's error, which carries the whole answer.
    raise trouble


def _learn_clock(headers: Any, *, asked_at: datetime) -> None:
    if said_at := _date_of(headers):
        clock.learn(said_at=said_at, asked_at=asked_at, heard_at=datetime.now(UTC))


def _date_of(headers: Any) -> datetime | None:
    """By Stripe's own clock, UTC; None where none is told."""
    told = headers or {}
    try:
        return parsedate_to_datetime(told.get("date") or told.get("Date") or "").astimezone(UTC)
    except (TypeError, ValueError):
        return None


def _in_our_words(error: stripe.StripeError) -> GatewayUnavailable | GatewayRefused:
    # APIError: the answer is a 5xx or no answer of Stripe's at all, or a 409: the key is in use at this moment.
    if isinstance(error, stripe.APIConnectionError | stripe.RateLimitError | stripe.APIError):
        seen = f"status {error.http_status}" if error.http_status else "no answer"
        request = f", {error.request_id}" if error.request_id else ""
        told = f"Stripe is not available at the moment ({seen}{request})."
        return (
            RateLimited(told, retry_after=_retry_after(error)) if error.http_status == 429 else GatewayUnavailable(told)
        )
    is_declined = isinstance(error, stripe.CardError)
    refusal = KeyRefused if isinstance(error, stripe.AuthenticationError) else GatewayRefused
    return refusal(
        code=_code(error), message=_message(error), request_id=error.request_id or "", is_declined=is_declined,
        param=str(getattr(error, "param", None) or ""),
    )  # fmt: skip


def _retry_after(error: stripe.StripeError) -> float | None:
    """The seconds of `Retry-After`; None where there are none (a proxy may write a date)."""
    told = str({name.lower(): value for name, value in (error.headers or {}).items()}.get("retry-after", ""))
    return float(told) if told.isascii() and told.isdigit() else None


def _code(error: stripe.StripeError) -> str:
    """Stripe's code; some kinds of refusal have only a type, such as `idempotency_error`."""
    told = error.error
    return str((getattr(told, "code", None) or getattr(told, "type", None) or "") if told else "")


def _message(error: stripe.StripeError) -> str:
    """Stripe's sentence without any part of a key."""
    if isinstance(error, stripe.AuthenticationError):
        return "Stripe does not know the key of this site (STRIPE_SECRET_KEY)."
    told = KEY.sub("the key", error.user_message or "Stripe has refused the call and gives no reason.")
    return told[:MAX_MESSAGE_LENGTH]


def create_customer(*, email: str, metadata: Mapping[str, str], idempotency_key: str) -> str:
    """The id of a new customer: https://docs.stripe.com/api/customers/create"""
    params: CustomerCreateParams = {"email": email, "metadata": {**metadata}}
    answer = ask(lambda api: api.customers.create(params, {"idempotency_key": idempotency_key}))
    return read_answer(StripeCustomer.read, answer).refs.customer


def update_customer(*, customer: str, email: str, name: str, idempotency_key: str) -> Answer:
    """The customer under this address; a name that is "" leaves theirs: https://docs.stripe.com/api/customers/update"""
    params: CustomerUpdateParams = {"email": email, "name": name} if name else {"email": email}
    return ask_one(lambda api: api.customers.update(customer, params, {"idempotency_key": idempotency_key}))


def cancel_subscription(*, subscription: str, idempotency_key: str) -> Answer:
    """The subscription as it is after its end, which is now; no money goes back by that.

    https://docs.stripe.com/api/subscriptions/cancel
    """
    return ask_one(lambda api: api.subscriptions.cancel(subscription, {}, {"idempotency_key": idempotency_key}))


def update_subscription(*, subscription: str, params: Mapping[str, Any], idempotency_key: str) -> Answer:
    """The subscription as it is after the change: https://docs.stripe.com/api/subscriptions/update"""
    told = cast(SubscriptionUpdateParams, {**params})
    return ask_one(lambda api: api.subscriptions.update(subscription, told, {"idempotency_key": idempotency_key}))


def create_portal_session(*, customer: str, return_url: str, language: str) -> str:
    """Where the customer sees their cards and invoices; whoever knows the address gets in, for some minutes.

    https://docs.stripe.com/api/customer_portal/sessions/create
    """
    params = cast(PortalParams, {"customer": customer, "return_url": return_url, "locale": language})
    return read_answer(_address, ask(lambda api: api.billing_portal.sessions.create(params)))


def _address(source: Json) -> str:
    if address := find_text(source, "url"):
        return address
    raise MalformedObject("The portal's session has no address.")


def plain_json(source: Json) -> Json:
    return source


def ask_one(call: Any) -> Answer:
    """What one call answers, of whatever kind."""
    answer = ask(call)
    return Answer(read_answer(plain_json, answer), _said_at(answer))


def _said_at(answer: object) -> datetime:
    """The `Date` of the answer; our own clock where none is told."""
    return _date_of(getattr(getattr(answer, "last_response", None), "headers", None)) or datetime.now(UTC)


# The one client through which this process speaks to Stripe, or to what stands in for it.


@contextmanager
def in_a_hurry() -> Iterator[None]:
    """Inside, each question is asked once and waits 5 seconds at most: for pages, not for workers."""
    token = _is_hurried.set(True)
    try:
        yield
    finally:
        _is_hurried.reset(token)


def is_in_a_hurry() -> bool:
    """Whether somebody waits for the page."""
    return _is_hurried.get()


def stripe_client() -> stripe.StripeClient:
    """Made at the first call; it may be shared by threads."""
    make = _made_in_a_hurry if is_in_a_hurry() else _made
    return make(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE)


@lru_cache(maxsize=1)
def _made(key: str, base: str) -> stripe.StripeClient:
    # The library alone would wait for 80 seconds and try once: https://docs.stripe.com/error-low-level
    return _client(key, base, seconds=ANSWER_TIMEOUT_SECONDS, retries=MAX_RETRIES)


@lru_cache(maxsize=1)
def _made_in_a_hurry(key: str, base: str) -> stripe.StripeClient:
    return _client(key, base, seconds=HURRIED_TIMEOUT_SECONDS, retries=0)


def _client(key: str, base: str, *, seconds: float, retries: int) -> stripe.StripeClient:
    door = stripe.RequestsClient(timeout=(CONNECT_TIMEOUT_SECONDS, seconds), session=_without_proxy() if base else None)
    return stripe.StripeClient(
        key,
        stripe_version=settings.STRIPE_API_VERSION,
        base_addresses={"api": base} if base else {},
        max_network_retries=retries,
        http_client=door,
    )


def _without_proxy() -> requests.Session:
    """What stands in for Stripe is near: a proxy of the environment does not know it."""
    session = requests.Session()
    session.trust_env = False
    return session
