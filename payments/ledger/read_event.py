"""A Stripe event on its way into the ledger: read strictly, whoever brings it (webhook, back-fill, import).

https://docs.stripe.com/api/events/object
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from payments.facts import canonical_uuid
from payments.ledger.models import PaymentEvent
from payments.names import ORDER, REGISTRATION

# What a thin event calls itself.
THIN = "v2.core.event"
WRONG_LIVEMODE = "wrong livemode"
UNEXPECTED_ACCOUNT = "unexpected account"
EARLIEST_CREATED = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
LATEST_CREATED = datetime(2101, 1, 1, tzinfo=UTC).timestamp()

COLUMN_LENGTHS = {field.name: field.max_length or 0 for field in PaymentEvent._meta.concrete_fields}


class MalformedEvent(ValueError):
    """No Stripe event as we know them; the message names the field, never what is in it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Incoming:
    """One event, ready to be kept: `payload` is scrubbed; `ignored_reason`: why it is not our business.

    `mentions`: what it can be found by, see `mentions_of`.
    """

    id: str
    type: str
    api_version: str
    livemode: bool
    account: str
    object_id: str
    payload: Mapping[str, Any]
    mentions: Sequence[str]
    body_sha256: str
    occurred_at: datetime
    ignored_reason: str = ""


def read_event(raw: object, *, body_sha256: str, expected_livemode: bool, expected_account: str) -> Incoming:
    """Read one event, as JSON gave it. Raises MalformedEvent."""
    event = _scrubbed(raw)
    is_thin = _is_thin(event)
    told = {"account": account_of(event)} if is_thin else event
    livemode, account = _livemode(event), _text(told, "account", column="account")
    return Incoming(
        id=_event_id(event),
        type=_text(event, "type", column="type", required=True),
        api_version=_text(event, "api_version", column="api_version"),
        livemode=livemode,
        account=account,
        object_id=_text(named_by(event) if is_thin else _object(event), "id", column="object_id"),
        payload=event,
        mentions=mentions_of(event),
        body_sha256=body_sha256,
        occurred_at=_created_in_words(event) if is_thin else _created(event),
        ignored_reason=why_foreign(livemode == expected_livemode, account in ("", expected_account)),
    )


def why_foreign(is_our_mode: bool, is_our_account: bool) -> str:
    """Why an event is none of ours and moves nothing; "" for one of ours."""
    if not is_our_mode:
        return WRONG_LIVEMODE
    return "" if is_our_account else UNEXPECTED_ACCOUNT


def _scrubbed(raw: object) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise MalformedEvent("not_an_object", "The body must be one JSON object.")
    try:
        return scrub(raw)
    except TooDeep:
        raise MalformedEvent("too_deep", "The body has more levels than any Stripe event.") from None


def _is_thin(event: Mapping[str, Any]) -> bool:
    kind = event.get("object")
    if kind not in ("event", THIN):
        raise MalformedEvent("not_an_event", "`object` must be “event”.")
    return kind == THIN


def _event_id(event: Mapping[str, Any]) -> str:
    event_id = _text(event, "id", column="stripe_event_id", required=True)
    if not event_id.startswith("evt_") or not event_id.isprintable():
        raise MalformedEvent("invalid_event", "`id` must begin with “evt_”.")
    return event_id


def _object(event: Mapping[str, Any]) -> Mapping[str, Any]:
    data = event.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("object"), dict):
        raise MalformedEvent("invalid_event", "`data.object` must be an object.")
    return data["object"]


def _livemode(event: Mapping[str, Any]) -> bool:
    livemode = event.get("livemode", False)
    if not isinstance(livemode, bool):
        raise MalformedEvent("invalid_event", "`livemode` must be true or false.")
    return livemode


def _created(event: Mapping[str, Any]) -> datetime:
    created = event.get("created")
    if type(created) is not int or not EARLIEST_CREATED <= created < LATEST_CREATED:  # True and 1.5 are numbers too
        raise MalformedEvent("invalid_event", "`created` must be a date, in whole seconds since 1970.")
    return datetime.fromtimestamp(created, tz=UTC)


def _created_in_words(event: Mapping[str, Any]) -> datetime:
    """Thin events write "2026-03-02T12:00:00.000Z"."""
    with suppress(ValueError, OverflowError):
        found = datetime.fromisoformat(str(event.get("created")))
        if found.tzinfo and EARLIEST_CREATED <= found.timestamp() < LATEST_CREATED:
            return found.astimezone(UTC)
    raise MalformedEvent("invalid_event", "`created` must be a date such as 2026-03-02T12:00:00.000Z.")


def _text(holder: Mapping[str, Any], name: str, *, column: str, required: bool = False) -> str:
    """A text that fits its column; "" for one that may be missing and is."""
    value = holder.get(name)
    if value is None and not required:
        return ""
    longest = COLUMN_LENGTHS[column]
    if not isinstance(value, str) or len(value) > longest or (required and not value):
        raise MalformedEvent("invalid_event", f"`{name}` must be a text of at most {longest} characters.")
    return value


MENTION_MAX_LENGTH = 255
# How Stripe begins the ids of what people look for: sessions, payments, charges, refunds, disputes, customers, …
STRIPE_ID = re.compile(r"(cs|pi|ch|py|re|pyr|du|dp|sub|in|inpay|cus|seti)_[\w-]+", re.ASCII)
MAX_MENTIONS = 200
NESTED = (dict, list)
PLAIN = frozenset({int, float, bool, type(None)})


def mentions_of(payload: Mapping[str, Any]) -> list[str]:
    """Every id in the event's object that somebody may search by, each once; ours as events find orders by them."""
    source = named_by(payload) if payload.get("object") == THIN else payload.get("data", {}).get("object", {})
    metadata: list[Mapping[str, Any]] = []
    stripe_ids: list[str] = []
    _walk(source, metadata, stripe_ids)
    return list(dict.fromkeys([*_our_ids(source, metadata), *stripe_ids]))[:MAX_MENTIONS]


def _our_ids(source: Mapping[str, Any], metadata: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What the object's metadata name, or that of the subscription behind an invoice."""
    if isinstance(order := source.get("client_reference_id"), str) and canonical_uuid(order):
        yield f"{ORDER}{canonical_uuid(order)}"
    for told in metadata:
        for name, prefix in (("orderId", ORDER), ("registrationId", REGISTRATION)):
            value = told.get(name)
            if isinstance(value, str) and (value := value.strip()) and len(prefix + value) <= MENTION_MAX_LENGTH:
                yield f"{prefix}{canonical_uuid(value) or value}"


def _walk(value: Any, metadata: list[Mapping[str, Any]], stripe_ids: list[str]) -> None:
    """Note all metadata and all of Stripe's ids, at any depth; one walk for both, since each delivery waits for it."""
    if isinstance(value, dict):
        told = value.get("metadata")
        if isinstance(told, dict):
            metadata.append(told)
        items: Iterable[Any] = value.values()
    else:
        items = value
    for item in items:
        if isinstance(item, str):
            if len(item) <= MENTION_MAX_LENGTH and STRIPE_ID.fullmatch(item):
                stripe_ids.append(item)
        elif isinstance(item, NESTED):
            _walk(item, metadata, stripe_ids)


MAX_DEPTH = 64
SECRETS = frozenset({"client_secret", "confirmation_secret"})
# Addresses of our own site, which open nothing at Stripe.
OUR_LINKS = frozenset({"success_url", "cancel_url", "return_url"})
_LINK = re.compile(r"\s*https?:", re.IGNORECASE)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class TooDeep(ValueError):
    """More levels than any Stripe object has: nothing that we would want to walk through."""


def scrub(value: Any, *, depth: int = 1) -> Any:
    """A copy of a JSON value that may be kept. NUL and half characters become U+FFFD. Raises TooDeep."""
    if isinstance(value, str):
        return storable(value)
    if not isinstance(value, NESTED):
        return value
    if depth > MAX_DEPTH:
        raise TooDeep(f"more than {MAX_DEPTH} levels")
    if isinstance(value, list):
        return [scrub(item, depth=depth + 1) for item in value]
    # Most items are plain: a call for each would take longer than all else here.
    return {
        storable(name): item if type(item) in PLAIN else scrub(item, depth=depth + 1)
        for name, item in value.items()
        if not opens_something(name, item)
    }


def opens_something(name: str, value: Any) -> bool:
    """Whether whoever has this value could act for the buyer with it."""
    if name in SECRETS:
        return True
    if type(value) is not str or ":" not in value:
        return False
    names_a_link = name == "url" or (name.endswith(("_url", "_pdf")) and name not in OUR_LINKS)
    return names_a_link and _LINK.match(value) is not None


def storable(text: str) -> str:
    """A buyer's odd text must not make money unstorable: PostgreSQL refuses NUL and half characters."""
    if text.isascii() and "\x00" not in text:
        return text
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


# --- thin events: they name what they are about, and say nothing of it (https://docs.stripe.com/event-destinations) ---
#
# Of one that tells that an event could not be made, Stripe puts the name into its `data`, which not every delivery
# carries: https://docs.stripe.com/webhooks/handle-irrecoverable-events


def named_by(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object that it is about, as {"id": …, "type": …}; {} where it names none."""
    impact = _inner(_inner(event, "data"), "impact")
    if related := _inner(impact, "related_object"):
        return related
    # As it was called before https://docs.stripe.com/changelog/clover/2025-11-17/event-generation-failure-alert
    if impact.get("related_object_id"):
        return {"id": impact["related_object_id"]}
    return _inner(event, "related_object")


def account_of(event: Mapping[str, Any]) -> Any:
    """The connected account that it is about; None for our own."""
    impact = _inner(_inner(event, "data"), "impact")
    return event.get("context") or impact.get("context") or impact.get("account")


def _inner(source: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = source.get(name)
    return value if isinstance(value, Mapping) else {}
