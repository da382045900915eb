"""The account, its balance transactions and its webhook endpoints: https://docs.stripe.com/api/accounts"""

from typing import Any

from stripe_emulator import store
from stripe_emulator.api.parameters import merged_metadata
from stripe_emulator.api.routes import Call, list_objects, readable, route
from stripe_emulator.errors import Json, require_param
from stripe_emulator.events.endpoints import (
    checked_events,
    checked_url,
    checked_version,
    delete_endpoint,
    keep_endpoint,
    new_secret,
)
from stripe_emulator.objects.account import account, new_webhook_endpoint

MOVEMENT_FILTERS = ("type", "source", "currency")

readable("balance_transactions", kind="balance_transaction", params="BalanceTransaction", filters=MOVEMENT_FILTERS)


@route("GET", "account", params="AccountRetrieveCurrentParams")
def retrieve_account(call: Call) -> Json:
    return account()


@route("POST", "webhook_endpoints", params="WebhookEndpointCreateParams")
def create_webhook_endpoint(call: Call) -> Json:
    endpoint = new_webhook_endpoint(
        call.at,
        url=checked_url(require_param(call.params, "url")),
        enabled_events=checked_events(require_param(call.params, "enabled_events")),
        api_version=checked_version(call.params.get("api_version")),
        description=call.params.get("description") or None,
        metadata=merged_metadata({}, call.params.get("metadata")),
    )
    secret = new_secret()
    return keep_endpoint(endpoint, secret=secret).data | {"secret": secret}


@route("GET", "webhook_endpoints", params="WebhookEndpointListParams")
def list_webhook_endpoints(call: Call) -> Json:
    return list_objects("webhook_endpoint", call.params, url="/v1/webhook_endpoints")


@route("GET", "webhook_endpoints/{id}", params="WebhookEndpointRetrieveParams")
def retrieve_webhook_endpoint(call: Call, *, id: str) -> Json:
    return store.get_living("webhook_endpoint", id).data


@route("POST", "webhook_endpoints/{id}", params="WebhookEndpointUpdateParams")
def update_webhook_endpoint(call: Call, *, id: str) -> Json:
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
    endpoint.change(**fields, metadata=merged_metadata(endpoint.data["metadata"], params.get("metadata")))
    return endpoint.data


@route("DELETE", "webhook_endpoints/{id}", params="WebhookEndpointDeleteParams")
def delete_webhook_endpoint(call: Call, *, id: str) -> Json:
    return delete_endpoint(store.get_living("webhook_endpoint", id, lock=True))
