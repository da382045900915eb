"""An invoice: https://docs.stripe.com/api/invoices/object"""

from typing import Any

from stripe_emulator import store
from stripe_emulator.ids import new_id
from stripe_emulator.models import Json, StoredObject
from stripe_emulator.shapes.included import included, inner_list

NO_TRANSITIONS: Json = {"finalized_at": None, "marked_uncollectible_at": None, "paid_at": None, "voided_at": None}
USUAL: Json = {
    "object": "invoice",
    "account_country": "FR",
    "account_name": None,
    "account_tax_ids": None,
    "amount_due": 0,
    "amount_overpaid": 0,
    "amount_paid": 0,
    "amount_paid_off_stripe": 0,
    "amount_remaining": 0,
    "amount_shipping": 0,
    "application": None,
    "attempt_count": 0,
    "attempted": False,
    "auto_advance": False,
    "automatic_tax": {
        "disabled_reason": None,
        "enabled": False,
        "liability": None,
        "provider": None,
        "status": None,
    },
    "automatically_finalizes_at": None,
    "billing_reason": "manual",
    "collection_method": "charge_automatically",
    "custom_fields": None,
    "customer_account": None,
    "customer_tax_ids": [],
    "default_payment_method": None,
    "default_source": None,
    "default_tax_rates": [],
    "description": None,
    "discounts": [],
    "due_date": None,
    "effective_at": None,
    "ending_balance": None,
    "footer": None,
    "from_invoice": None,
    "hosted_invoice_url": None,
    "invoice_pdf": None,
    "issuer": {"type": "self"},
    "last_finalization_error": None,
    "latest_revision": None,
    "livemode": False,
    "metadata": {},
    "next_payment_attempt": None,
    "number": None,
    "on_behalf_of": None,
    "parent": None,
    "payment_settings": {
        "default_mandate": None,
        "payment_method_options": None,
        "payment_method_types": None,
    },
    "post_payment_credit_notes_amount": 0,
    "pre_payment_credit_notes_amount": 0,
    "receipt_number": None,
    "rendering": None,
    "shipping_cost": None,
    "shipping_details": None,
    "starting_balance": 0,
    "statement_descriptor": None,
    "status": "draft",
    "status_details": None,
    "status_transitions": NO_TRANSITIONS,
    "subtotal": 0,
    "subtotal_excluding_tax": 0,
    "test_clock": None,
    "total": 0,
    "total_discount_amounts": [],
    "total_excluding_tax": 0,
    "total_pretax_credit_amounts": [],
    "total_taxes": [],
    "webhooks_delivered_at": None,
}


def new_invoice(at: int, *, customer: Json, lines: list[Json], **fields: object) -> Json:
    """A draft for this customer with these lines and their sum."""
    id = new_id("in_1")
    birth = {"id": id, "created": at, "period_start": at, "period_end": at}
    return {**USUAL, **birth, **addressed_to(customer), **summed(id, lines), **fields}


def addressed_to(customer: Json) -> Json:
    """What an invoice keeps of its customer."""
    kept = {f"customer_{name}": customer[name] for name in ("address", "email", "name", "phone", "shipping")}
    return {"customer": customer["id"], **kept, "customer_tax_exempt": customer["tax_exempt"]}


def summed(invoice_id: str, lines: list[Json]) -> Json:
    """The lines of an invoice and what depends on them; less than nothing is nothing to pay."""
    total = sum(line["amount"] for line in lines)
    due = max(total, 0)
    listed = inner_list([{**line, "invoice": invoice_id} for line in lines], url=f"/v1/invoices/{invoice_id}/lines")
    return {
        "lines": {**listed, "total_count": len(lines)},
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "total": total,
        "total_excluding_tax": total,
        "amount_due": due,
        "amount_remaining": due,
    }


def of_subscription(subscription: Json) -> Json:
    """The `parent` of an invoice of this subscription; the metadata is what it is at that moment."""
    details = {
        "metadata": subscription["metadata"],
        "subscription": subscription["id"],
        "subscription_proration_date": None,
    }
    return {"quote_details": None, "subscription_details": details, "type": "subscription_details"}


@included("invoice", "payments")
def payments(invoice: StoredObject) -> Json:
    """What pays it, the newest first."""
    rows = [payment.data for payment in store.find("invoice_payment", invoice=invoice.stripe_id)]
    return inner_list(rows, url=f"/v1/invoice_payments?invoice={invoice.stripe_id}")


@included("invoice", "confirmation_secret")
def confirmation_secret(invoice: StoredObject) -> Any:
    """What a page needs to confirm its intent; None while there is none."""
    if "payment_intent" not in invoice.hidden:
        return None
    intent = store.get("payment_intent", invoice.hidden["payment_intent"])
    return {"client_secret": intent.data["client_secret"], "type": "payment_intent"}
