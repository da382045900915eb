"""Stripe objects in our words, read from plain JSON of any API version since 2023-10-16."""

from payments.stripe_api.snapshots.charge import Charge
from payments.stripe_api.snapshots.checkout_session import CheckoutSession
from payments.stripe_api.snapshots.customer import Customer, read_place
from payments.stripe_api.snapshots.dispute import Dispute
from payments.stripe_api.snapshots.invoice import Invoice, InvoicePayment
from payments.stripe_api.snapshots.payment_intent import PaymentIntent
from payments.stripe_api.snapshots.reading import Json, MalformedObject, Money, id_of
from payments.stripe_api.snapshots.refund import Refund
from payments.stripe_api.snapshots.subscription import Subscription

__all__ = [
    "Charge",
    "CheckoutSession",
    "Customer",
    "Dispute",
    "Invoice",
    "InvoicePayment",
    "Json",
    "MalformedObject",
    "Money",
    "PaymentIntent",
    "Refund",
    "Subscription",
    "id_of",
    "read_place",
]
