"""What Stripe's balance is made of, asked for page by page: payouts and their entries (balance transactions).

Every function takes the calls of one run, and raises GatewayUnavailable and GatewayRefused. Reads only; never call it
inside a transaction.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar

from payments.stripe_api.gateway import Answer, GatewayUnavailable, ask_one
from payments.stripe_api.lookups import ThrottledStripe
from payments.stripe_api.snapshots import Json, MalformedObject, StripeEntry, StripePayout

T = TypeVar("T")
# What an entry is about tells its names, and its amount before it was converted.
WITH_SOURCE = {"expand": ["data.source"]}


def payouts_since(stripe: ThrottledStripe, *, since: datetime) -> Iterator[list[StripePayout]]:
    """The payouts that were made since then, the newest first (https://docs.stripe.com/api/payouts/list)."""
    return _read(StripePayout.read, stripe.pages("payouts", {"created": _from(since)}))


def look_up_payout(stripe: ThrottledStripe, *, payout: str) -> StripePayout:
    """One payout, however old (https://docs.stripe.com/api/payouts/retrieve)."""
    answer: Answer = stripe.call(ask_one, lambda api: api.payouts.retrieve(payout))
    return _in_our_words(StripePayout.read, answer.raw)


def entries_since(stripe: ThrottledStripe, *, since: datetime) -> Iterator[list[StripeEntry]]:
    """Everything that has moved the balance since then (https://docs.stripe.com/api/balance_transactions/list)."""
    return _entries(stripe, {"created": _from(since)})


def entries_of(stripe: ThrottledStripe, *, payout: str) -> Iterator[list[StripeEntry]]:
    """What is in an automatic payout, and the payout itself; Stripe refuses to say it of a manual one."""
    return _entries(stripe, {"payout": payout})


def _entries(stripe: ThrottledStripe, params: Mapping[str, Any]) -> Iterator[list[StripeEntry]]:
    return _read(StripeEntry.read, stripe.pages("balance_transactions", {**WITH_SOURCE, **params}))


def _from(since: datetime) -> dict[str, int]:
    return {"gte": int(since.timestamp())}


def _read(read: Callable[[Json], T], pages: Iterator[list[Json]]) -> Iterator[list[T]]:
    return ([_in_our_words(read, raw) for raw in page] for page in pages)


def _in_our_words(read: Callable[[Json], T], raw: Json) -> T:
    try:
        return read(raw)
    except MalformedObject as error:
        raise GatewayUnavailable(f"What Stripe says of its balance cannot be read: {error}") from error
