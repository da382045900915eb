"""Calls to Stripe that change a person or their subscription. Never call them inside a transaction.

Every function raises GatewayUnavailable (nobody knows: call again with the same key) and GatewayRefused.
"""

from collections.abc import Mapping
from typing import Any, cast

from stripe.params import CustomerCreateParams, SubscriptionUpdateParams
from stripe.params.billing_portal import SessionCreateParams

from payments.stripe_api.gateway import ask, read_answer
from payments.stripe_api.lookups import Answer, ask_one
from payments.stripe_api.snapshots import Customer, Json, MalformedObject
from payments.stripe_api.snapshots.reading import find_text


def create_customer(*, email: str, metadata: Mapping[str, str], idempotency_key: str) -> str:
    """The id of a new customer: https://docs.stripe.com/api/customers/create"""
    params: CustomerCreateParams = {"email": email, "metadata": {**metadata}}
    answer = ask(lambda api: api.customers.create(params, {"idempotency_key": idempotency_key}))
    return read_answer(Customer.read, answer).about.customer


def update_subscription(*, subscription: str, params: Mapping[str, Any], idempotency_key: str) -> Answer:
    """The subscription as it is after the change: https://docs.stripe.com/api/subscriptions/update"""
    told = cast(SubscriptionUpdateParams, {**params})
    return ask_one(lambda api: api.subscriptions.update(subscription, told, {"idempotency_key": idempotency_key}))


def create_portal_session(*, customer: str, return_url: str, language: str) -> str:
    """Where the customer sees their cards and invoices; whoever knows the address gets in, for some minutes.

    https://docs.stripe.com/api/customer_portal/sessions/create
    """
    params = cast(SessionCreateParams, {"customer": customer, "return_url": return_url, "locale": language})
    return read_answer(_address, ask(lambda api: api.billing_portal.sessions.create(params)))


def _address(source: Json) -> str:
    if address := find_text(source, "url"):
        return address
    raise MalformedObject("The portal's session has no address.")
