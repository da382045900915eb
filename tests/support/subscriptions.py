"""Subscriptions, their invoices and their people: as plain JSON in both shapes of the API, and as rows of ours."""

from datetime import UTC, datetime, timedelta
from typing import Any

from payments.apply.apply import apply
from payments.apply.batch import BatchResult, FactSet
from payments.billing.models import Customer, Plan, Subscription
from payments.facts import Fact, InvoiceFact, ObjectRefs, SubscriptionFact, Terms
from payments.orders.models import Reference
from tests.support.stripe_objects import ORDER, Json

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BEGIN, END = NOON - timedelta(days=10), NOON + timedelta(days=20)
SITE = {"orderId": ORDER, "site": "payments", "plan": "monthly"}


def unix(moment: datetime) -> int:
    """As Stripe writes it."""
    return int(moment.timestamp())


def price_object(**changes: Any) -> Json:
    """€4.00 a month."""
    usual = {
        "id": "price_monthly",
        "object": "price",
        "currency": "eur",
        "recurring": {"interval": "month", "interval_count": 1},
        "unit_amount": 400,
    }
    return {**usual, **changes}


def item_object(**changes: Any) -> Json:
    """One of the price, in the period that is running."""
    period = {"current_period_start": unix(BEGIN), "current_period_end": unix(END)}
    return {"id": "si_1", "price": price_object(), "quantity": 1, **period, **changes}


def subscription_object(**changes: Any) -> Json:
    """An active subscription that our order began."""
    usual = {
        "id": "sub_1",
        "object": "subscription",
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "customer": "cus_1",
        "ended_at": None,
        "items": {"object": "list", "data": [item_object()]},
        "metadata": SITE,
        "start_date": unix(BEGIN),
        "status": "active",
        "trial_end": None,
    }
    return {**usual, **changes}


def old_subscription_object(**changes: Any) -> Json:
    """The same before https://docs.stripe.com/changelog/basil: the whole of it has one period."""
    item = {name: value for name, value in item_object().items() if not name.startswith("current_period")}
    period = {"current_period_start": unix(BEGIN), "current_period_end": unix(END)}
    return {**subscription_object(items={"object": "list", "data": [item]}), **period, **changes}


def line_object(*, is_proration: bool = False, **changes: Any) -> Json:
    """What one item costs for the period."""
    usual = {
        "amount": 400,
        "parent": {
            "type": "subscription_item_details",
            "subscription_item_details": {"proration": is_proration, "subscription": "sub_1"},
        },
        "period": {"start": unix(BEGIN), "end": unix(END)},
        "pricing": {"price_details": {"price": "price_monthly"}},
    }
    return {**usual, **changes}


def invoice_object(**changes: Any) -> Json:
    """A paid invoice of our subscription."""
    refs = {"subscription": "sub_1", "metadata": SITE}
    usual = {
        "id": "in_1",
        "object": "invoice",
        "amount_due": 400,
        "amount_paid": 400,
        "amount_paid_off_stripe": 0,
        "currency": "eur",
        "customer": "cus_1",
        "lines": {"object": "list", "data": [line_object()]},
        "next_payment_attempt": None,
        "parent": {"type": "subscription_details", "subscription_details": refs},
        "status": "paid",
        "status_transitions": {"paid_at": unix(BEGIN)},
    }
    return {**usual, **changes}


def old_invoice_object(**changes: Any) -> Json:
    """The same before basil: it names its subscription and what pays it at the top."""
    line = {
        "amount": 400,
        "period": {"start": unix(BEGIN), "end": unix(END)},
        "price": {"id": "price_monthly"},
        "proration": False,
        "type": "subscription",
    }
    usual = {name: value for name, value in invoice_object().items() if name not in LATER}
    top = {
        "charge": "ch_1",
        "lines": {"object": "list", "data": [line]},
        "paid": True,
        "paid_out_of_band": False,
        "payment_intent": "pi_1",
        "subscription": "sub_1",
        "subscription_details": {"metadata": SITE},
    }
    return {**usual, **top, **changes}


LATER = ("amount_paid_off_stripe", "parent")


def invoice_payment_object(**changes: Any) -> Json:
    """What pays which invoice."""
    payment = {"type": "payment_intent", "payment_intent": "pi_1"}
    return {"id": "inpay_1", "object": "invoice_payment", "invoice": "in_1", "payment": payment, **changes}


def customer_object(**changes: Any) -> Json:
    """Ada, who lives in Lyon."""
    usual = {
        "id": "cus_1",
        "object": "customer",
        "address": {"city": "Lyon", "country": "FR"},
        "email": "Ada@Example.com",
        "name": "Ada Lovelace",
    }
    return {**usual, **changes}


def refs(**changes: Any) -> ObjectRefs:
    """The names of our subscription."""
    return ObjectRefs(**{"subscription": "sub_1", "customer": "cus_1", **changes})


def told(**changes: Any) -> SubscriptionFact:
    """Our subscription, active, as it was at noon."""
    terms = Terms("price_monthly", 400, "eur", "month")
    usual = {"status": "active", "occurred_at": NOON, "terms": terms, "period_start": BEGIN, "period_end": END}
    return SubscriptionFact(**{"refs": refs(), **usual, **changes})


def paid(**changes: Any) -> InvoiceFact:
    """The invoice of its period, paid when it began."""
    money = {"received": 400, "currency": "eur", "paid_at": BEGIN, "period_start": BEGIN, "period_end": END}
    usual = {"status": "paid", "occurred_at": NOON, "prices": ("price_monthly",), **money}
    return InvoiceFact(**{"refs": refs(invoice="in_1"), **usual, **changes})


def tell(*facts: Fact) -> BatchResult:
    """One event about these facts, applied."""
    return apply([FactSet(facts=facts, source="a test", occurred_at=NOON)], at=NOON)


def make_plan(slug: str = "monthly", **fields: Any) -> Plan:
    """A plan that is paid with the price of the same name; two are there from the beginning."""
    usual = {"name": slug.title(), "amount": 400, "interval": "month", "price": f"price_{slug}"}
    row, _ = Plan.objects.update_or_create(slug=slug, defaults={**usual, **fields})
    return row


def make_customer(stripe_id: str = "cus_1", **fields: Any) -> Customer:
    """Somebody whom events find by their id."""
    row = Customer.objects.create(stripe_id=stripe_id, **fields)
    Reference.objects.create(name=stripe_id, customer=row)
    return row


def make_subscription(stripe_id: str = "sub_1", **fields: Any) -> Subscription:
    """A subscription that events find by its id."""
    row = Subscription.objects.create(stripe_id=stripe_id, **fields)
    Reference.objects.create(name=stripe_id, subscription=row)
    return row
