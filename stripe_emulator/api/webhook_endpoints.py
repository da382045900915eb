"""Webhook endpoints: https://docs.stripe.com/api/webhook_endpoints"""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from stripe_emulator import store
from stripe_emulator.api.listing import list_objects
from stripe_emulator.api.metadata import merged
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.events.endpoints import delete_endpoint, keep_endpoint, new_secret
from stripe_emulator.events.shape import OLD_VERSION
from stripe_emulator.shapes.webhook_endpoint import new_webhook_endpoint

LONGEST_URL = 2048


@answers("POST", "webhook_endpoints", params="WebhookEndpointCreateParams")
def create(call: Call) -> Json:
    endpoint = new_webhook_endpoint(
        call.at,
        url=checked_url(_required(call, "url")),
        enabled_events=checked_events(_required(call, "enabled_events")),
        api_version=checked_version(call.params.get("api_version")),
        description=call.params.get("description") or None,
        metadata=merged({}, call.params.get("metadata")),
    )
    secret = new_secret()
    return keep_endpoint(endpoint, secret=secret).data | {"secret": secret}


@answers("GET", "webhook_endpoints", params="WebhookEndpointListParams")
def list_all(call: Call) -> Json:
    return list_objects("webhook_endpoint", call.params, url="/v1/webhook_endpoints")


@answers("GET", "webhook_endpoints/{id}", params="WebhookEndpointRetrieveParams")
def retrieve(call: Call, *, id: str) -> Json:
    return store.get_living("webhook_endpoint", id).data


@answers("POST", "webhook_endpoints/{id}", params="WebhookEndpointUpdateParams")
def update(call: Call, *, id: str) -> Json:
    endpoint = store.get_living("webhook_endpoint", id, lock=True)
    params, fields = call.params, dict[str, Any]()
    if "url" in params:
        fields["url"] = checked_url(params["url"])
    if "enabled_events" in params:
        fields["enabled_events"] = checked_events(params["enabled_events"])
    if "description" in params:
        fields["description"] = params["description"] or None
    if "disabled" in params:
        fields["status"] = "disabled" if params["disabled"] else "enabled"
    endpoint.change(**fields, metadata=merged(endpoint.data["metadata"], params.get("metadata")))
    return endpoint.data


@answers("DELETE", "webhook_endpoints/{id}", params="WebhookEndpointDeleteParams")
def delete(call: Call, *, id: str) -> Json:
    return delete_endpoint(store.get_living("webhook_endpoint", id, lock=True))


def checked_url(url: str) -> str:
    """The URL if anything can be sent there; test mode allows plain HTTP. Raises StripeRefusal."""
    try:
        parts = urlsplit(url)
        is_complete = bool(parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)
    except ValueError:
        is_complete = False
    if not is_complete or len(url) > LONGEST_URL or any(sign.isspace() for sign in url):
        message = "Invalid URL: An explicit scheme (such as https) must be provided."
        raise StripeRefusal(message, code="url_invalid", param="url")
    return url


def checked_events(types: Any) -> list[str]:
    """The types if they are a list of at least one. Raises StripeRefusal."""
    if not isinstance(types, list) or not types or not all(isinstance(each, str) and each for each in types):
        raise StripeRefusal("Invalid enabled_events: an array of at least one event type.", param="enabled_events")
    return list(dict.fromkeys(types))


def checked_version(version: str | None) -> str | None:
    """The version if its shapes are known; empty is the account's. Raises StripeRefusal."""
    known = (settings.STRIPE_API_VERSION, OLD_VERSION)
    if version and version not in known:
        raise StripeRefusal(f"Invalid API version: {version}. Known are {' and '.join(known)}.", param="api_version")
    return version or None


def _required(call: Call, name: str) -> Any:
    if not call.params.get(name):
        raise StripeRefusal(f"Missing required param: {name}.", code="parameter_missing", param=name)
    return call.params[name]
