"""Bringing our endpoints at Stripe in line with the handlers; switching them off and on; replacing their secret.

What is to be done is said first (`Step`), then done. A new secret is handed to `keep` at once, and to nothing else.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import structlog
from django.conf import settings

from payments.endpoints.wanted import (
    REPLACES,
    Registered,
    has_our_scheme,
    is_enabled,
    rank_of,
    registered,
    sent_types,
    wanted_url,
)
from payments.handlers.registry import handled_types
from payments.ledger.models import PaymentEvent
from payments.stripe_api import endpoints, lookups
from payments.stripe_api.snapshots import Json

log = structlog.get_logger(__name__)
# Hands a new secret over; raises OSError where it cannot be kept.
Keep = Callable[[str], None]
# Of the events since a second endpoint was made so many pages of a hundred are looked at.
MAX_PAGES = 5


class CannotChange(Exception):
    """What was asked for makes no sense now; the message says why."""


class SecretNotKept(Exception):
    """The new secret could not be handed over, so its endpoint was deleted again."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call to Stripe. `endpoint` "": a new one is made; `params` as Stripe takes them; `told`: what for.

    `types`: which types of events it is sent from then on (+), or no more (-), with their ranks.
    """

    told: str
    endpoint: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    types: Sequence[str] = ()
    is_deletion: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done, and what is left to people."""

    steps: Sequence[Step]
    notes: Sequence[str] = ()

    @property
    def makes_a_secret(self) -> bool:
        return any(not step.endpoint for step in self.steps)


def ours() -> Registered:
    """As Stripe says now. Raises GatewayUnavailable, GatewayRefused."""
    return registered(lookups.webhook_endpoints())


def plan_endpoints(found: Registered) -> Plan:
    """What brings them in line; nothing where they are. Duplicates and disabled ones are left to people."""
    if not found.ours:
        return Plan([_creation(wanted_url(), f"create an endpoint at {wanted_url()}")])
    return Plan([*_updates(found), *_newer_version(found)], list(_notes(found)))


def _creation(url: str, told: str, *, replaces: str = "") -> Step:
    params = {
        "url": url, "events": handled_types(), "version": settings.STRIPE_API_VERSION,
        "description": settings.SITE_NAME, "metadata": {REPLACES: replaces} if replaces else {},
    }  # fmt: skip
    return Step(told, params=params, types=_types(added=handled_types()))


def _types(*, added: Iterable[str] = (), dropped: Iterable[str] = ()) -> list[str]:
    return [f"+ {name} ({rank_of(name)})" for name in sorted(added)] + [f"- {name}" for name in sorted(dropped)]


def _updates(found: Registered) -> Iterator[Step]:
    for each in found.ours:
        params: dict[str, Any] = {}
        told = [f"update {each['id']}"]
        sent, wanted = sent_types([each]), set(handled_types())
        if sent != wanted:
            params["enabled_events"] = sorted(wanted)
        if not has_our_scheme(each):
            params["url"] = wanted_url()
            told.append(f"{each['url']} → {wanted_url()}")
        if params:
            yield Step(", ".join(told), str(each["id"]), params, _types(added=wanted - sent, dropped=sent - wanted))


def _newer_version(found: Registered) -> Iterator[Step]:
    """The version of an endpoint stays: another one is made beside it, and takes its place when it is seen to work."""
    old = found.working[0]
    if found.replacement is None and old.get("api_version") != settings.STRIPE_API_VERSION:
        versions = f"{settings.STRIPE_API_VERSION} instead of {old.get('api_version') or 'that of the account'}"
        told = f"create a second endpoint in version {versions}, to take the place of {old['id']}"
        yield _creation(wanted_url(), told, replaces=str(old["id"]))


def _notes(found: Registered) -> Iterator[str]:
    names = ", ".join(str(each["id"]) for each in found.ours)
    if found.replacement:
        yield f"{names}: the secret is being replaced; `stripe_webhooks rotate --finish` removes the old endpoint."
    elif len(found.ours) > 1:
        yield f"{names} all lead here: in the Stripe Dashboard delete all but the one whose signing secret is set here."
    for each in found.ours:
        if not is_enabled(each):
            yield f"{each['id']} is disabled; `stripe_webhooks enable` switches it on."


def plan_switch(found: Registered, *, on: bool) -> Plan:
    """Every one of ours enabled, or disabled. Raises CannotChange where there is none."""
    if not found.ours:
        raise CannotChange("No webhook endpoint at Stripe leads to this site: `stripe_webhooks apply` makes one.")
    word = "enable" if on else "disable"
    return Plan([
        Step(f"{word} {each['id']} ({each['url']})", str(each["id"]), {"disabled": not on})
        for each in found.ours if is_enabled(each) != on
    ])  # fmt: skip


def plan_rotation(found: Registered) -> Plan:
    """A second endpoint like the one there is, with a secret of its own. Raises CannotChange."""
    if found.replacement:
        raise CannotChange(
            f"{found.replacement['id']} is taking the place of another already: set its secret beside the old one, "
            "then say `stripe_webhooks rotate --finish`."
        )
    if len(found.ours) != 1:
        raise CannotChange(f"{len(found.ours)} webhook endpoints at Stripe lead to this site; it must be one.")
    old = found.ours[0]
    told = f"create a second endpoint at {old['url']} with a secret of its own, to take the place of {old['id']}"
    return Plan([_creation(str(old["url"]), told, replaces=str(old["id"]))])


def plan_end_of_rotation(found: Registered) -> Plan:
    """The old one goes. Raises CannotChange until an event has come through the new one."""
    new, old = found.replacement, found.replaced
    if new is None or old is None:
        raise CannotChange("No endpoint is taking the place of another one: `stripe_webhooks rotate` begins.")
    if not is_enabled(new):
        raise CannotChange(f"{new['id']} is disabled: nothing has come with its secret.")
    if not _is_proven(new):
        since = datetime.fromtimestamp(int(new.get("created") or 0), UTC)
        raise CannotChange(
            f"No event since {since:%Y-%m-%d %H:%M} UTC is known to have come through {new['id']}: is its secret set "
            "here, beside the old one? Stripe must have seen every endpoint confirm the same event."
        )
    return Plan([Step(f"delete {old['id']}, whose place {new['id']} has taken", str(old["id"]), is_deletion=True)])


def _is_proven(new: Json) -> bool:
    """Whether a delivery signed with its secret was taken here.

    Which secret signed is counted (payments/endpoints/secrets.py), but not whose it is. An event that no endpoint has
    to confirm any more (`pending_webhooks`) was confirmed by each that is sent it, and here only what is verified is:
    https://docs.stripe.com/api/events/object
    """
    sent = sent_types([new])
    pages = lookups.pages("events", {"created": {"gt": int(new.get("created") or 0)}})
    confirmed = {
        str(event["id"]) for page in islice(pages, MAX_PAGES) for event in page
        if event.get("pending_webhooks") == 0 and event.get("type") in sent
    }  # fmt: skip
    return PaymentEvent.objects.filter(stripe_event_id__in=confirmed).exists()


def carry_out(plan: Plan, *, keep: Keep) -> list[str]:
    """Do it, step by step. Returns what was done, with the ids of new endpoints.

    Raises GatewayUnavailable, GatewayRefused, and SecretNotKept where `keep` raised OSError.
    """
    return [_done(step, keep=keep) for step in plan.steps]


def _done(step: Step, *, keep: Keep) -> str:
    if step.is_deletion:
        endpoints.delete_endpoint(endpoint=step.endpoint)
    elif step.endpoint:
        endpoints.update_endpoint(endpoint=step.endpoint, params=step.params)
    else:
        made = endpoints.create_endpoint(**step.params)
        _hand_over(made, keep=keep)
        log.info("webhooks.endpoint_changed", endpoint=made.id, change=step.told)
        return f"{step.told}: {made.id}"
    log.info("webhooks.endpoint_changed", endpoint=step.endpoint, change=step.told)
    return step.told


def _hand_over(made: endpoints.NewEndpoint, *, keep: Keep) -> None:
    try:
        keep(made.secret)
    except OSError as error:
        endpoints.delete_endpoint(endpoint=made.id)
        raise SecretNotKept(
            f"The secret could not be written ({error.strerror}); {made.id} was deleted again."
        ) from None
