"""Stripe objects in our words, read from plain JSON of any API version since 2023-10-16."""

from payments.stripe_api.snapshots.balance import StripeEntry, StripePayout
from payments.stripe_api.snapshots.checkout import StripeCheckoutSession, StripeCustomer, read_place
from payments.stripe_api.snapshots.payment import (
    StripeCharge,
    StripeDispute,
    StripeFraudWarning,
    StripePaymentIntent,
    StripeRefund,
)
from payments.stripe_api.snapshots.reading import Json, MalformedObject, Money, id_of
from payments.stripe_api.snapshots.subscription import StripeInvoice, StripeInvoicePayment, StripeSubscription

__all__ = [
    "Json",
    "MalformedObject",
    "Money",
    "StripeCharge",
    "StripeCheckoutSession",
    "StripeCustomer",
    "StripeDispute",
    "StripeEntry",
    "StripeFraudWarning",
    "StripeInvoice",
    "StripeInvoicePayment",
    "StripePaymentIntent",
    "StripePayout",
    "StripeRefund",
    "StripeSubscription",
    "id_of",
    "read_place",
]
