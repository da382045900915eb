"""Subscriptions: https://docs.stripe.com/api/subscriptions"""

from stripe_emulator import clock, store
from stripe_emulator.api.listing import page
from stripe_emulator.api.metadata import merged
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.api.subscription_items import read_rows
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.life import renewals, standing, subscriptions
from stripe_emulator.life.catalogue import missing
from stripe_emulator.life.invoice_methods import of_customer
from stripe_emulator.life.periods import DAY
from stripe_emulator.life.subscription_changes import apply_changes, trial_settings
from stripe_emulator.models import StoredObject

FIELDS = ("collection_method", "days_until_due", "description", "payment_behavior")
FILTERS = ("collection_method", "customer")
LONGEST_TRIAL = 730 * DAY
UNKNOWN_HERE = (
    "add_invoice_items", "application_fee_percent", "backdate_start_date", "billing_cycle_anchor",
    "billing_cycle_anchor_config", "billing_schedules", "billing_thresholds", "default_source", "default_tax_rates",
    "discounts", "pending_invoice_item_interval", "transfer_data",
)  # fmt: skip


@answers("POST", "subscriptions", params="SubscriptionCreateParams")
def create(call: Call) -> Json:
    _refuse_unknown(call.params)
    if not call.params.get("customer"):
        raise missing("customer")
    customer = store.get_living("customer", call.params["customer"], param="customer", lock=True)
    fields = {name: call.params[name] for name in FIELDS if name in call.params}
    if fields.get("collection_method") == "send_invoice" and "days_until_due" not in fields:
        raise missing("days_until_due")
    method = ""
    if told := call.params.get("default_payment_method"):
        method = of_customer(told, customer, at=call.at, param="default_payment_method").stripe_id
    subscription = subscriptions.start(
        customer=customer,
        items=read_rows(call.params.get("items", [])),
        at=call.at,
        metadata=merged({}, call.params.get("metadata")),
        default_payment_method=method,
        trial_end=_trial_end(call.params, call.at),
        **fields,
        **trial_settings(call.params),
    )
    apply_changes(subscription, _end(call.params), at=call.at)
    return subscription.data


@answers("GET", "subscriptions", params="SubscriptionListParams")
def list_all(call: Call) -> Json:
    rows = store.find("subscription", **{name: call.params[name] for name in FILTERS if name in call.params})
    if price := call.params.get("price") or call.params.get("plan"):
        rows = rows.filter(data__contains={"items": {"data": [{"price": {"id": price}}]}})
    status = call.params.get("status")
    if status is None:
        rows = rows.exclude(data__status="canceled")
    elif status != "all":
        rows = rows.filter(data__status__in=standing.ENDED if status == "ended" else [status])
    return page(rows, call.params, url="/v1/subscriptions", render=lambda stored: stored.data)


@answers("GET", "subscriptions/{id}", params="SubscriptionRetrieveParams")
def retrieve(call: Call, *, id: str) -> Json:
    return store.get("subscription", id).data


@answers("POST", "subscriptions/{id}", params="SubscriptionUpdateParams")
def update(call: Call, *, id: str) -> Json:
    _refuse_unknown(call.params)
    subscription = store.get("subscription", id, lock=True)
    at = clock.now_for(subscription)
    params = {**call.params, "metadata": merged(subscription.data["metadata"], call.params.get("metadata"))}
    if told := params.get("default_payment_method"):
        customer = store.get("customer", subscription.data["customer"], lock=True)
        method = of_customer(told, customer, at=at, param="default_payment_method")
        params["default_payment_method"] = method.stripe_id
    if "items" in params:
        params["items"] = read_rows(params["items"], subscription)
    if params.get("trial_end", "now") != "now":
        _trial_end(params, at)
    apply_changes(subscription, params, at=at)
    if params.get("payment_behavior") == "error_if_incomplete":
        _require_paid(subscription)
    return _shown(subscription)


@answers("DELETE", "subscriptions/{id}", params="SubscriptionCancelParams")
def cancel(call: Call, *, id: str) -> Json:
    subscription = store.get("subscription", id, lock=True)
    details = call.params.get("cancellation_details") or {}
    subscriptions.cancel_now(subscription, at=clock.now_for(subscription), **details)
    return _shown(subscription)


@answers("POST", "subscriptions/{id}/resume", params="SubscriptionResumeParams")
def resume(call: Call, *, id: str) -> Json:
    subscription = store.get("subscription", id, lock=True)
    renewals.resume(subscription, at=clock.now_for(subscription))
    return _shown(subscription)


def _refuse_unknown(params: Json) -> None:
    """Raises StripeRefusal for what would change amounts or dates and is not emulated."""
    for name in UNKNOWN_HERE:
        if params.get(name):
            raise StripeRefusal(f"The emulator knows no {name} of subscriptions.", param=name)


def _require_paid(subscription: StoredObject) -> None:
    """Raises StripeRefusal, which undoes everything, if the change has left an invoice that could not be collected."""
    latest = store.find("invoice").filter(stripe_id=_shown(subscription)["latest_invoice"]).first()
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


def _shown(subscription: StoredObject) -> Json:
    """As it is after all that has followed from the call."""
    subscription.refresh_from_db()
    data: Json = subscription.data
    return data
