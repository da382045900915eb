"""Invoices and subscriptions with their parts: https://docs.stripe.com/api/invoices/object"""

from typing import Any

from stripe_emulator import store
from stripe_emulator.errors import Json
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.parts import expandable, list_object, nulls
from stripe_emulator.store import new_id

NO_TRANSITIONS: Json = {"finalized_at": None, "marked_uncollectible_at": None, "paid_at": None, "voided_at": None}
INVOICE_DEFAULTS: Json = {
    "object": "invoice",
    "account_country": "FR",
    **nulls(
        "account_name account_tax_ids application automatically_finalizes_at custom_fields customer_account "
        "default_payment_method default_source description due_date effective_at ending_balance footer from_invoice "
        "hosted_invoice_url invoice_pdf last_finalization_error latest_revision next_payment_attempt number "
        "on_behalf_of parent receipt_number rendering shipping_cost shipping_details statement_descriptor "
        "status_details test_clock webhooks_delivered_at"
    ),
    "amount_due": 0,
    "amount_overpaid": 0,
    "amount_paid": 0,
    "amount_paid_off_stripe": 0,
    "amount_remaining": 0,
    "amount_shipping": 0,
    "attempt_count": 0,
    "attempted": False,
    "auto_advance": False,
    "automatic_tax": {
        **nulls("disabled_reason liability provider status"),
        "enabled": False,
    },
    "billing_reason": "manual",
    "collection_method": "charge_automatically",
    "customer_tax_ids": [],
    "default_tax_rates": [],
    "discounts": [],
    "issuer": {"type": "self"},
    "livemode": False,
    "metadata": {},
    "payment_settings": {
        "default_mandate": None,
        "payment_method_options": None,
        "payment_method_types": None,
    },
    "post_payment_credit_notes_amount": 0,
    "pre_payment_credit_notes_amount": 0,
    "starting_balance": 0,
    "status": "draft",
    "status_transitions": NO_TRANSITIONS,
    "subtotal": 0,
    "subtotal_excluding_tax": 0,
    "total": 0,
    "total_discount_amounts": [],
    "total_excluding_tax": 0,
    "total_pretax_credit_amounts": [],
    "total_taxes": [],
}


def new_invoice(at: int, *, customer: Json, lines: list[Json], **fields: object) -> Json:
    """A draft for this customer with these lines and their sum."""
    id = new_id("in_1")
    birth = {"id": id, "created": at, "period_start": at, "period_end": at}
    return {**INVOICE_DEFAULTS, **birth, **_customer_fields(customer), **with_totals(id, lines), **fields}


def _customer_fields(customer: Json) -> Json:
    """What an invoice keeps of its customer."""
    kept = {f"customer_{name}": customer[name] for name in ("address", "email", "name", "phone", "shipping")}
    return {"customer": customer["id"], **kept, "customer_tax_exempt": customer["tax_exempt"]}


def with_totals(invoice_id: str, lines: list[Json]) -> Json:
    """The lines of an invoice and what depends on them; less than nothing is nothing to pay."""
    total = sum(line["amount"] for line in lines)
    due = max(total, 0)
    listed = list_object([{**line, "invoice": invoice_id} for line in lines], url=f"/v1/invoices/{invoice_id}/lines")
    return {
        "lines": {**listed, "total_count": len(lines)},
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "total": total,
        "total_excluding_tax": total,
        "amount_due": due,
        "amount_remaining": due,
    }


def parent_of(subscription: Json) -> Json:
    """The `parent` of an invoice of this subscription; the metadata is what it is at that moment."""
    details = {
        "metadata": subscription["metadata"],
        "subscription": subscription["id"],
        "subscription_proration_date": None,
    }
    return {"quote_details": None, "subscription_details": details, "type": "subscription_details"}


@expandable("invoice", "payments")
def payments(invoice: StoredObject) -> Json:
    """What pays it, the newest first."""
    rows = [payment.data for payment in store.find("invoice_payment", invoice=invoice.stripe_id)]
    return list_object(rows, url=f"/v1/invoice_payments?invoice={invoice.stripe_id}")


@expandable("invoice", "confirmation_secret")
def confirmation_secret(invoice: StoredObject) -> Any:
    """What a page needs to confirm its intent; None while there is none."""
    if "payment_intent" not in invoice.hidden:
        return None
    intent = store.get("payment_intent", invoice.hidden["payment_intent"])
    return {"client_secret": intent.data["client_secret"], "type": "payment_intent"}


ITEM_DEFAULTS: Json = {
    "object": "invoiceitem",
    **nulls(
        "customer_account description frozen_fields invoice invoicing_rules parent pricing proration_details test_clock"
    ),
    "discountable": True,
    "discounts": [],
    "livemode": False,
    "metadata": {},
    "proration": False,
    "tax_rates": [],
}


def new_invoice_item(at: int, *, amount: int, quantity: int = 1, **fields: object) -> Json:
    """Something that the next invoice asks for. `amount` is the whole of it, in minor units."""
    sums = {"amount": amount, "net_amount": amount, "quantity": quantity, "quantity_decimal": str(quantity)}
    return {**ITEM_DEFAULTS, "id": new_id("ii_1"), "date": at, "period": {"end": at, "start": at}, **sums, **fields}


LINE_DEFAULTS: Json = {
    "object": "line_item",
    "description": None,
    "discount_amounts": [],
    "discountable": True,
    "discounts": [],
    "livemode": False,
    "metadata": {},
    "pretax_credit_amounts": [],
    "pricing": None,
    "subscription": None,
    "taxes": [],
}


def new_invoice_line(*, amount: int, quantity: int = 1, **fields: object) -> Json:
    """One line; `amount` is the whole of it, in minor units."""
    sums = {"amount": amount, "subtotal": amount, "quantity": quantity, "quantity_decimal": str(quantity)}
    return {**LINE_DEFAULTS, "id": new_id("il_1"), **sums, **fields}


def pricing_of(price: Json) -> Json:
    """How a line or an invoice item tells its price."""
    details = {"price": price["id"], "product": price["product"]}
    return {
        "type": "price_details",
        "price_details": details,
        "unit_amount_decimal": price["unit_amount_decimal"],
    }


INVOICE_PAYMENT_DEFAULTS: Json = {
    "object": "invoice_payment",
    "amount_paid": None,
    "is_default": True,
    "livemode": False,
    "status": "open",
    "status_transitions": {"canceled_at": None, "paid_at": None},
}


def new_invoice_payment(at: int, *, payment_intent: str, **fields: object) -> Json:
    """An intent that is going to pay an invoice."""
    payment = {"payment_intent": payment_intent, "type": "payment_intent"}
    return {**INVOICE_PAYMENT_DEFAULTS, "id": new_id("inpay_1"), "created": at, "payment": payment, **fields}


SUBSCRIPTION_DEFAULTS: Json = {
    "object": "subscription",
    **nulls(
        "application application_fee_percent billing_cycle_anchor_config billing_thresholds cancel_at canceled_at "
        "customer_account days_until_due default_payment_method default_source description ended_at latest_invoice "
        "managed_payments next_pending_invoice_item_invoice on_behalf_of pause_collection "
        "pending_invoice_item_interval pending_setup_intent pending_update schedule status_details test_clock "
        "transfer_data trial_end trial_start"
    ),
    "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
    "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
    "billing_schedules": [],
    "cancel_at_period_end": False,
    "cancellation_details": {"comment": None, "feedback": None, "feedback_option": None, "reason": None},
    "collection_method": "charge_automatically",
    "default_tax_rates": [],
    "discounts": [],
    "invoice_settings": {
        **nulls("account_tax_ids custom_fields description footer"),
        "issuer": {"type": "self"},
    },
    "livemode": False,
    "metadata": {},
    "payment_settings": {
        "payment_method_options": None,
        "payment_method_types": None,
        "save_default_payment_method": "off",
    },
    "status": "incomplete",
    "trial_settings": {"end_behavior": {"billing_cycle_anchor": None, "missing_payment_method": "create_invoice"}},
}


def new_subscription(at: int, **fields: object) -> Json:
    """A subscription that starts at this moment; who makes it gives it its items, customer and currency."""
    id = new_id("sub_1")
    birth = {"id": id, "created": at, "start_date": at, "billing_cycle_anchor": at, "items": items_of(id, [])}
    return {**SUBSCRIPTION_DEFAULTS, **birth, **fields}


def items_of(subscription_id: str, rows: list[Json]) -> Json:
    """The list of items inside a subscription."""
    listed = list_object(rows, url=f"/v1/subscription_items?subscription={subscription_id}")
    return {**listed, "total_count": len(rows)}


SUBSCRIPTION_ITEM_DEFAULTS: Json = {
    "object": "subscription_item",
    "billed_until": None,
    "billing_thresholds": None,
    "discounts": [],
    "metadata": {},
    "quantity": 1,
    "tax_rates": [],
}


def new_subscription_item(at: int, *, price: Json, **fields: object) -> Json:
    """An item that is billed at this price, shown in full; the period is given by whoever makes it."""
    born = {"id": new_id("si_", length=14), "created": at, "price": price, "plan": plan_of(price)}
    return {**SUBSCRIPTION_ITEM_DEFAULTS, **born, **fields}


def plan_of(price: Json) -> Json:
    """The price as the older kind of object, which items still show."""
    recurring = price["recurring"]
    kept = ("id", "active", "billing_scheme", "created", "currency", "livemode", "metadata", "nickname", "product")
    return {
        **{name: price[name] for name in kept},
        "object": "plan",
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        **nulls("meter tiers_mode transform_usage trial_period_days"),
        "usage_type": "licensed",
    }
