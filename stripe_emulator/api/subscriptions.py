"""Subscriptions: https://docs.stripe.com/api/subscriptions"""

from django.db.models import QuerySet

from stripe_emulator import store
from stripe_emulator.api.parameters import merged_metadata
from stripe_emulator.api.routes import Call, readable, route
from stripe_emulator.behaviour import renewals, subscription_status, subscriptions
from stripe_emulator.behaviour.customers import method_of_customer
from stripe_emulator.behaviour.subscription_items import DAY
from stripe_emulator.errors import Json, StripeRefusal, missing_param, refuse_unsupported, require_param
from stripe_emulator.models import StoredObject

FIELDS = ("collection_method", "days_until_due", "description", "payment_behavior")
FILTERS = ("collection_method", "customer")
LONGEST_TRIAL = 730 * DAY
UNSUPPORTED = (
    "add_invoice_items", "application_fee_percent", "backdate_start_date", "billing_cycle_anchor",
    "billing_cycle_anchor_config", "billing_schedules", "billing_thresholds", "default_source", "default_tax_rates",
    "discounts", "pending_invoice_item_interval", "transfer_data",
)  # fmt: skip


def _listed(call: Call) -> QuerySet[StoredObject]:
    """Without a `status` in the call, those that are not canceled."""
    rows = store.find("subscription", **call.only(FILTERS))
    if price := call.params.get("price") or call.params.get("plan"):
        rows = rows.filter(data__contains={"items": {"data": [{"price": {"id": price}}]}})
    status = call.params.get("status")
    if status is None:
        return rows.exclude(data__status="canceled")
    if status == "all":
        return rows
    return rows.filter(data__status__in=subscription_status.ENDED if status == "ended" else [status])


readable("subscriptions", kind="subscription", params="Subscription", listed=_listed)


@route("POST", "subscriptions", params="SubscriptionCreateParams")
def create_subscription(call: Call) -> StoredObject:
    refuse_unsupported(call.params, UNSUPPORTED, of="subscriptions")
    named = require_param(call.params, "customer")
    customer = store.get_living("customer", named, param="customer", lock=True)
    fields = call.only(FIELDS)
    if fields.get("collection_method") == "send_invoice" and "days_until_due" not in fields:
        raise missing_param("days_until_due")
    subscription = subscriptions.create_subscription(
        customer=customer,
        items=_with_metadata(call.params.get("items", [])),
        at=call.at,
        metadata=call.metadata(),
        default_payment_method=_default_method(call.params, customer, call.at),
        trial_end=_trial_end(call.params, call.at),
        **fields,
        **renewals.trial_settings(call.params),
    )
    end = {name: value for name, value in call.only(("cancel_at_period_end", "cancel_at")).items() if value}
    renewals.update_subscription(subscription, end, at=call.at)
    return subscription


@route("POST", "subscriptions/{id}", params="SubscriptionUpdateParams")
def update_subscription(call: Call, *, id: str) -> StoredObject:
    refuse_unsupported(call.params, UNSUPPORTED, of="subscriptions")
    subscription, at = store.locked("subscription", id)
    params = {**call.params, "metadata": call.metadata(subscription)}
    if params.get("default_payment_method"):
        customer = store.get("customer", subscription.data["customer"], lock=True)
        params["default_payment_method"] = _default_method(params, customer, at)
    if "items" in params:
        params["items"] = _with_metadata(params["items"], subscription)
    _trial_end(params, at)
    renewals.update_subscription(subscription, params, at=at)
    if params.get("payment_behavior") == "error_if_incomplete":
        _require_paid(subscription)
    return subscription


@route("DELETE", "subscriptions/{id}", params="SubscriptionCancelParams")
def cancel_subscription(call: Call, *, id: str) -> StoredObject:
    subscription, at = store.locked("subscription", id)
    subscriptions.cancel_now(subscription, at=at, **call.params.get("cancellation_details") or {})
    return subscription


@route("POST", "subscriptions/{id}/resume", params="SubscriptionResumeParams")
def resume_subscription(call: Call, *, id: str) -> StoredObject:
    subscription, at = store.locked("subscription", id)
    renewals.resume(subscription, at=at)
    return subscription


def _default_method(params: Json, customer: StoredObject, at: int) -> str:
    """The id of what is to be paid with; "" for none."""
    id = params.get("default_payment_method")
    return method_of_customer(id, customer, at=at, param="default_payment_method").stripe_id if id else ""


def _with_metadata(items: list[Json], subscription: StoredObject | None = None) -> list[Json]:
    """The rows of `items` with the metadata that they will have."""
    known = {item["id"]: item["metadata"] for item in subscription.data["items"]["data"]} if subscription else {}
    return [{**row, "metadata": merged_metadata(known.get(row.get("id"), {}), row.get("metadata"))} for row in items]


def _require_paid(subscription: StoredObject) -> None:
    """Raises StripeRefusal, which undoes everything, if the change has left an invoice that could not be collected."""
    subscription.refresh_from_db()
    latest = store.find("invoice").filter(stripe_id=subscription.data["latest_invoice"]).first()
    if latest and latest.data["status"] == "open":
        raise StripeRefusal("Your card was declined.", code="card_declined", status=402, type="card_error")


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
