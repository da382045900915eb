"""Subscriptions: https://docs.stripe.com/api/subscriptions"""

from stripe_emulator import clock, store
from stripe_emulator.api.parameters import merged_metadata
from stripe_emulator.api.routes import Call, list_page, route
from stripe_emulator.behaviour import renewals, subscription_status, subscriptions
from stripe_emulator.behaviour.customers import method_of_customer
from stripe_emulator.behaviour.subscription_items import DAY
from stripe_emulator.errors import Json, StripeRefusal, missing_param
from stripe_emulator.models import StoredObject

FIELDS = ("collection_method", "days_until_due", "description", "payment_behavior")
FILTERS = ("collection_method", "customer")
LONGEST_TRIAL = 730 * DAY
UNSUPPORTED = (
    "add_invoice_items", "application_fee_percent", "backdate_start_date", "billing_cycle_anchor",
    "billing_cycle_anchor_config", "billing_schedules", "billing_thresholds", "default_source", "default_tax_rates",
    "discounts", "pending_invoice_item_interval", "transfer_data",
)  # fmt: skip


@route("POST", "subscriptions", params="SubscriptionCreateParams")
def create_subscription(call: Call) -> Json:
    _refuse_unknown(call.params)
    if not call.params.get("customer"):
        raise missing_param("customer")
    customer = store.get_living("customer", call.params["customer"], param="customer", lock=True)
    fields = {name: call.params[name] for name in FIELDS if name in call.params}
    if fields.get("collection_method") == "send_invoice" and "days_until_due" not in fields:
        raise missing_param("days_until_due")
    method = ""
    if method_id := call.params.get("default_payment_method"):
        method = method_of_customer(method_id, customer, at=call.at, param="default_payment_method").stripe_id
    subscription = subscriptions.create_subscription(
        customer=customer,
        items=_with_metadata(call.params.get("items", [])),
        at=call.at,
        metadata=merged_metadata({}, call.params.get("metadata")),
        default_payment_method=method,
        trial_end=_trial_end(call.params, call.at),
        **fields,
        **renewals.trial_settings(call.params),
    )
    renewals.update_subscription(subscription, _end(call.params), at=call.at)
    return subscription.data


@route("GET", "subscriptions", params="SubscriptionListParams")
def list_subscriptions(call: Call) -> Json:
    rows = store.find("subscription", **{name: call.params[name] for name in FILTERS if name in call.params})
    if price := call.params.get("price") or call.params.get("plan"):
        rows = rows.filter(data__contains={"items": {"data": [{"price": {"id": price}}]}})
    status = call.params.get("status")
    if status is None:
        rows = rows.exclude(data__status="canceled")
    elif status != "all":
        rows = rows.filter(data__status__in=subscription_status.ENDED if status == "ended" else [status])
    return list_page(rows, call.params, url="/v1/subscriptions", render=lambda stored: stored.data)


@route("GET", "subscriptions/{id}", params="SubscriptionRetrieveParams")
def retrieve_subscription(call: Call, *, id: str) -> Json:
    return store.get("subscription", id).data


@route("POST", "subscriptions/{id}", params="SubscriptionUpdateParams")
def update_subscription(call: Call, *, id: str) -> Json:
    _refuse_unknown(call.params)
    subscription = store.get("subscription", id, lock=True)
    at = clock.now_for(subscription)
    params = {**call.params, "metadata": merged_metadata(subscription.data["metadata"], call.params.get("metadata"))}
    if method_id := params.get("default_payment_method"):
        customer = store.get("customer", subscription.data["customer"], lock=True)
        method = method_of_customer(method_id, customer, at=at, param="default_payment_method")
        params["default_payment_method"] = method.stripe_id
    if "items" in params:
        params["items"] = _with_metadata(params["items"], subscription)
    if params.get("trial_end", "now") != "now":
        _trial_end(params, at)
    renewals.update_subscription(subscription, params, at=at)
    if params.get("payment_behavior") == "error_if_incomplete":
        _require_paid(subscription)
    return _reread(subscription)


@route("DELETE", "subscriptions/{id}", params="SubscriptionCancelParams")
def cancel_subscription(call: Call, *, id: str) -> Json:
    subscription = store.get("subscription", id, lock=True)
    details = call.params.get("cancellation_details") or {}
    subscriptions.cancel_now(subscription, at=clock.now_for(subscription), **details)
    return _reread(subscription)


@route("POST", "subscriptions/{id}/resume", params="SubscriptionResumeParams")
def resume_subscription(call: Call, *, id: str) -> Json:
    subscription = store.get("subscription", id, lock=True)
    renewals.resume(subscription, at=clock.now_for(subscription))
    return _reread(subscription)


def _with_metadata(items: list[Json], subscription: StoredObject | None = None) -> list[Json]:
    """The rows of `items` with the metadata that they will have."""
    known = {item["id"]: item["metadata"] for item in subscription.data["items"]["data"]} if subscription else {}
    return [{**row, "metadata": merged_metadata(known.get(row.get("id"), {}), row.get("metadata"))} for row in items]


def _refuse_unknown(params: Json) -> None:
    """Raises StripeRefusal for what would change amounts or dates and is not emulated."""
    for name in UNSUPPORTED:
        if params.get(name):
            raise StripeRefusal(f"The emulator knows no {name} of subscriptions.", param=name)


def _require_paid(subscription: StoredObject) -> None:
    """Raises StripeRefusal, which undoes everything, if the change has left an invoice that could not be collected."""
    latest = store.find("invoice").filter(stripe_id=_reread(subscription)["latest_invoice"]).first()
    if latest and latest.data["status"] == "open":
        raise StripeRefusal("Your card was declined.", code="card_declined", status=402, type="card_error")


def _end(params: Json) -> Json:
    """What of a new subscription's parameters is said about its end."""
    return {name: params[name] for name in ("cancel_at_period_end", "cancel_at") if params.get(name)}


def _trial_end(params: Json, at: int) -> int | None:
    """The end of the trial, from the one or the other parameter. Raises StripeRefusal for what makes no sense."""
    days, moment = params.get("trial_period_days"), params.get("trial_end")
    if days is not None and moment is not None:
        raise StripeRefusal("You can only specify one of trial_end and trial_period_days.", param="trial_end")
    if days is not None:
        moment = at + days * DAY if days else None
    if moment is None or moment == "now":
        return None
    if not at < moment <= at + LONGEST_TRIAL:
        param = "trial_end" if days is None else "trial_period_days"
        raise StripeRefusal("Invalid trial: it must end in the future, and within two years.", param=param)
    return int(moment)


def _reread(subscription: StoredObject) -> Json:
    """As it is after all that has followed from the call."""
    subscription.refresh_from_db()
    data: Json = subscription.data
    return data
