"""What a Checkout session of ours is asked for: https://docs.stripe.com/api/checkout/sessions/create"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from stripe.params.checkout import (
    SessionCreateParams,
    SessionCreateParamsLineItem,
    SessionCreateParamsLineItemPriceData,
)

# Stripe puts the id in its place; in any other form, percent-encoded too, it stays as it is.
SESSION_ID = "session_id={CHECKOUT_SESSION_ID}"
MAX_PRODUCT_NAME_LENGTH = 250
Locale = Literal["en", "fr"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """What is paid again each `interval`. `price`: its price at Stripe, "" for the purchase's own name and amount;
    `customer`: who subscribes, "" for somebody whom Stripe is to learn of.
    """

    plan: str
    customer: str
    price: str
    interval: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutRequest:
    """One thing to be paid. `amount` in minor units; `order` and `registration` are public ids ("" for none)."""

    order: str
    registration: str
    attempt: int
    site: str
    name: str
    amount: int
    currency: str
    email: str
    language: str
    expires_at: datetime
    return_to: str
    """Our page to which the buyer comes back, paid or not."""
    recurring: Recurring | None = None
    """What one subscribes to; None for what is paid once."""


def checkout_params(purchase: CheckoutRequest) -> SessionCreateParams:
    """Every parameter of the session. The price is ours; how one may pay is set up in the Stripe Dashboard.

    The names go onto the PaymentIntent or the subscription too: their events carry no metadata of the session.
    """
    metadata = _metadata(purchase)
    params: SessionCreateParams = {
        "mode": "subscription" if purchase.recurring else "payment",
        "client_reference_id": purchase.order,
        "line_items": [_line(purchase)],
        "locale": cast(Locale, purchase.language),
        "expires_at": int(purchase.expires_at.timestamp()),
        "success_url": f"{purchase.return_to}?{SESSION_ID}",
        "cancel_url": purchase.return_to,
        "billing_address_collection": "required",
        # Left out, the account's own setting would change the amount or the currency.
        "adaptive_pricing": {"enabled": False},
        "automatic_tax": {"enabled": False},
        "metadata": metadata,
    }
    if purchase.recurring:
        params["subscription_data"] = {"metadata": metadata}
    else:
        params["payment_intent_data"] = {"metadata": metadata}
    if purchase.recurring and purchase.recurring.customer:
        params["customer"] = purchase.recurring.customer
        # What the buyer tells Checkout about themselves stands on their invoices.
        params["customer_update"] = {"name": "auto", "address": "auto"}
    elif purchase.email:
        params["customer_email"] = purchase.email
    return params


def _line(purchase: CheckoutRequest) -> SessionCreateParamsLineItem:
    recurring = purchase.recurring
    if recurring and recurring.price:
        return {"quantity": 1, "price": recurring.price}
    price: SessionCreateParamsLineItemPriceData = {
        "currency": purchase.currency,
        "unit_amount": purchase.amount,
        "product_data": {"name": purchase.name[:MAX_PRODUCT_NAME_LENGTH]},
    }
    if recurring:
        price["recurring"] = {"interval": recurring.interval}
    return {"quantity": 1, "price_data": price}


def _metadata(purchase: CheckoutRequest) -> dict[str, str]:
    told = {
        "orderId": purchase.order,
        "registrationId": purchase.registration,
        "attempt": str(purchase.attempt),
        "site": purchase.site,
        "plan": purchase.recurring.plan if purchase.recurring else "",
    }
    return {name: value for name, value in told.items() if value}
