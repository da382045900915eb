"""Changes of our webhook endpoints at Stripe: https://docs.stripe.com/api/webhook_endpoints

Every function raises GatewayUnavailable and GatewayRefused. None of them is called inside a transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from stripe.params import WebhookEndpointCreateParams, WebhookEndpointUpdateParams

from payments.stripe_api.gateway import Answer, ask, ask_one, read_answer
from payments.stripe_api.snapshots import Json, MalformedObject
from payments.stripe_api.snapshots.reading import find_text


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """What Stripe has made; its secret is told this once, and by no other call."""

    id: str
    secret: str = field(repr=False)


def create_endpoint(
    *, url: str, events: Sequence[str], version: str, description: str, metadata: Mapping[str, str]
) -> NewEndpoint:
    """One endpoint more, at most 16 in an account. Where the answer was lost it may be there without its secret."""
    params = {
        "url": url, "enabled_events": list(events), "api_version": version, "description": description,
        "metadata": {**metadata},
    }  # fmt: skip
    told = cast(WebhookEndpointCreateParams, params)
    return read_answer(_new_endpoint, ask(lambda api: api.webhook_endpoints.create(told)))


def update_endpoint(*, endpoint: str, params: Mapping[str, Any]) -> Answer:
    """Other events, another address, enabled or disabled (`disabled`); its version stays for ever."""
    told = cast(WebhookEndpointUpdateParams, {**params})
    return ask_one(lambda api: api.webhook_endpoints.update(endpoint, told))


def delete_endpoint(*, endpoint: str) -> Answer:
    """For good: nothing is sent to it any more, and its secret signs nothing."""
    return ask_one(lambda api: api.webhook_endpoints.delete(endpoint))


def _new_endpoint(source: Json) -> NewEndpoint:
    made = NewEndpoint(find_text(source, "id"), find_text(source, "secret"))
    if made.id and made.secret:
        return made
    raise MalformedObject("A new webhook endpoint has no id or no secret.")
