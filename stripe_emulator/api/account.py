"""The account, its balance transactions, its payouts and its webhook endpoints: https://docs.stripe.com/api/accounts"""

from django.db.models import QuerySet

from stripe_emulator import store
from stripe_emulator.api.routes import Call, readable, route
from stripe_emulator.errors import Json, require_param
from stripe_emulator.events import endpoints
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.account import ACCOUNT, new_webhook_endpoint

MOVEMENT_FILTERS = ("type", "source", "currency")


def _movements(call: Call) -> QuerySet[StoredObject]:
    """Those that were asked for; which payout one is in, it does not say itself."""
    rows = store.find("balance_transaction", **call.only(MOVEMENT_FILTERS))
    return rows.filter(hidden__payout=call.params["payout"]) if "payout" in call.params else rows


readable("balance_transactions", kind="balance_transaction", params="BalanceTransaction", listed=_movements)
readable("payouts", kind="payout", params="Payout", filters=("status",))
readable("webhook_endpoints", kind="webhook_endpoint", params="WebhookEndpoint", shows_deleted=False)


@route("GET", "account", params="AccountRetrieveCurrentParams")
def retrieve_account(call: Call) -> Json:
    return ACCOUNT


@route("POST", "webhook_endpoints", params="WebhookEndpointCreateParams")
def create_webhook_endpoint(call: Call) -> Json:
    endpoint = new_webhook_endpoint(
        call.at,
        url=endpoints.checked_url(require_param(call.params, "url")),
        enabled_events=endpoints.checked_events(require_param(call.params, "enabled_events")),
        api_version=endpoints.checked_version(call.params.get("api_version")),
        description=call.params.get("description") or None,
        metadata=call.metadata(),
    )
    secret = endpoints.new_secret()
    return endpoints.keep_endpoint(endpoint, secret=secret).data | {"secret": secret}


@route("POST", "webhook_endpoints/{id}", params="WebhookEndpointUpdateParams")
def update_webhook_endpoint(call: Call, *, id: str) -> StoredObject:
    endpoint = store.get_living("webhook_endpoint", id, lock=True)
    fields: Json = {"metadata": call.metadata(endpoint)}
    if "url" in call.params:
        fields["url"] = endpoints.checked_url(call.params["url"])
    if "enabled_events" in call.params:
        fields["enabled_events"] = endpoints.checked_events(call.params["enabled_events"])
    if "description" in call.params:
        fields["description"] = call.params["description"] or None
    if "disabled" in call.params:
        fields["status"] = "disabled" if call.params["disabled"] else "enabled"
    endpoint.change(**fields)
    return endpoint


@route("DELETE", "webhook_endpoints/{id}", params="WebhookEndpointDeleteParams")
def delete_webhook_endpoint(call: Call, *, id: str) -> Json:
    return endpoints.delete_endpoint(store.get_living("webhook_endpoint", id, lock=True))
