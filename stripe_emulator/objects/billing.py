"""Invoices and subscriptions with their parts: https://docs.stripe.com/api/invoices/object"""

from typing import Any

from stripe_emulator import store
from stripe_emulator.errors import Json
from stripe_emulator.events.payload import plan_of as plan_of_2023
from stripe_emulator.events.payload import without
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.parts import empty_lists, expandable, list_object, nulls, template, zeros
from stripe_emulator.store import new_id

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
    **zeros(
        "amount_due amount_overpaid amount_paid amount_paid_off_stripe amount_remaining amount_shipping attempt_count "
        "post_payment_credit_notes_amount pre_payment_credit_notes_amount starting_balance subtotal "
        "subtotal_excluding_tax total total_excluding_tax"
    ),
    **empty_lists(
        "customer_tax_ids default_tax_rates discounts total_discount_amounts total_pretax_credit_amounts total_taxes"
    ),
    "attempted": False,
    "auto_advance": False,
    "automatic_tax": {**nulls("disabled_reason liability provider status"), "enabled": False},
    "billing_reason": "manual",
    "collection_method": "charge_automatically",
    "issuer": {"type": "self"},
    "livemode": False,
    "metadata": {},
    "payment_settings": nulls("default_mandate payment_method_options payment_method_types"),
    "status": "draft",
    "status_transitions": nulls("finalized_at marked_uncollectible_at paid_at voided_at"),
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
    sums = dict.fromkeys(("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"), total)
    return {"lines": {**listed, "total_count": len(lines)}, **sums, "amount_due": due, "amount_remaining": due}


def parent_of(subscription: Json) -> Json:
    """The `parent` of an invoice of this subscription; the metadata is what it is at that moment."""
    about = {"metadata": subscription["metadata"], "subscription": subscription["id"]}
    details = {**about, "subscription_proration_date": None}
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
    **empty_lists("discounts tax_rates"),
    "discountable": True,
    "livemode": False,
    "metadata": {},
    "proration": False,
}


def new_invoice_item(at: int, *, amount: int, quantity: int = 1, **fields: object) -> Json:
    """Something that the next invoice asks for. `amount` is the whole of it, in minor units."""
    sums = {"amount": amount, "net_amount": amount, "quantity": quantity, "quantity_decimal": str(quantity)}
    return {**ITEM_DEFAULTS, "id": new_id("ii_1"), "date": at, "period": {"end": at, "start": at}, **sums, **fields}


LINE_DEFAULTS: Json = {
    "object": "line_item",
    **nulls("description pricing subscription"),
    **empty_lists("discount_amounts discounts pretax_credit_amounts taxes"),
    "discountable": True,
    "livemode": False,
    "metadata": {},
}


def new_invoice_line(*, amount: int, quantity: int = 1, **fields: object) -> Json:
    """One line; `amount` is the whole of it, in minor units."""
    sums = {"amount": amount, "subtotal": amount, "quantity": quantity, "quantity_decimal": str(quantity)}
    return {**LINE_DEFAULTS, "id": new_id("il_1"), **sums, **fields}


def pricing_of(price: Json) -> Json:
    """How a line or an invoice item tells its price."""
    details = {"price": price["id"], "product": price["product"]}
    return {"type": "price_details", "price_details": details, "unit_amount_decimal": price["unit_amount_decimal"]}


new_invoice_payment = template(
    "invoice_payment",
    "inpay_1",
    amount_paid=None,
    is_default=True,
    livemode=False,
    status="open",
    status_transitions={"canceled_at": None, "paid_at": None},
)
"""What is going to pay an invoice, its `payment`."""


SUBSCRIPTION_DEFAULTS: Json = {
    "object": "subscription",
    **nulls(
        "application application_fee_percent billing_cycle_anchor_config billing_thresholds cancel_at canceled_at "
        "customer_account days_until_due default_payment_method default_source description ended_at latest_invoice "
        "managed_payments next_pending_invoice_item_invoice on_behalf_of pause_collection "
        "pending_invoice_item_interval pending_setup_intent pending_update schedule status_details test_clock "
        "transfer_data trial_end trial_start"
    ),
    **empty_lists("billing_schedules default_tax_rates discounts"),
    "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
    "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
    "cancel_at_period_end": False,
    "cancellation_details": nulls("comment feedback feedback_option reason"),
    "collection_method": "charge_automatically",
    "invoice_settings": {**nulls("account_tax_ids custom_fields description footer"), "issuer": {"type": "self"}},
    "livemode": False,
    "metadata": {},
    "payment_settings": {**nulls("payment_method_options payment_method_types"), "save_default_payment_method": "off"},
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
    **nulls("billed_until billing_thresholds"),
    **empty_lists("discounts tax_rates"),
    "metadata": {},
    "quantity": 1,
}


def new_subscription_item(at: int, *, price: Json, **fields: object) -> Json:
    """An item that is billed at this price, shown in full; the period is given by whoever makes it."""
    born = {"id": new_id("si_", length=14), "created": at, "price": price, "plan": plan_of(price)}
    return {**SUBSCRIPTION_ITEM_DEFAULTS, **born, **fields}


def plan_of(price: Json) -> Json:
    """The price as the older kind of object, which items still show."""
    return {**without(plan_of_2023(price) or {}, "aggregate_usage"), "meter": None}
