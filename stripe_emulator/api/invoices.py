"""Invoices, invoice items and invoice payments: https://docs.stripe.com/api/invoices"""

from django.db.models import QuerySet

from stripe_emulator import store
from stripe_emulator.api.routes import Call, readable, route
from stripe_emulator.behaviour import invoice_collection, invoice_lines, invoices, renewals, subscription_status
from stripe_emulator.behaviour.amounts import check_greatest, check_step, known_currency
from stripe_emulator.behaviour.customers import method_of_customer
from stripe_emulator.behaviour.subscription_items import DAY
from stripe_emulator.errors import Json, StripeRefusal, missing_param, refuse_unsupported, require_param
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.billing import new_invoice

INVOICE_FIELDS = (
    "auto_advance", "collection_method", "custom_fields", "description", "due_date", "footer", "statement_descriptor",
)  # fmt: skip
INVOICE_FILTERS = ("collection_method", "customer", "due_date", "status")
UNSUPPORTED_OF_ITEMS = ("invoice", "price", "price_data", "pricing", "quantity", "subscription", "unit_amount_decimal")
KNOWN_OF_PREVIEWS = {"items", "proration_behavior", "proration_date"}
UNSUPPORTED_OF_PREVIEWS = ("discounts", "invoice_items", "issuer", "schedule", "schedule_details")
PAYMENT_FILTERS = ("invoice", "payment", "status")
ITEM_FIELDS = ("amount", "description", "discountable", "period")


def _listed(call: Call) -> QuerySet[StoredObject]:
    wanted = call.only(INVOICE_FILTERS)
    if "subscription" in call.params:
        wanted["parent"] = {"subscription_details": {"subscription": call.params["subscription"]}}
    return store.find("invoice", **wanted)


readable("invoices", kind="invoice", params="Invoice", listed=_listed, param="invoice")
readable("invoice_payments", kind="invoice_payment", params="InvoicePayment", filters=PAYMENT_FILTERS)


@route("POST", "invoices", params="InvoiceCreateParams")
def create_invoice(call: Call) -> StoredObject:
    """The invoices of subscriptions make themselves: this is one by hand."""
    refuse_unsupported(call.params, ("subscription",), of="an invoice made by hand")
    named, at = require_param(call.params, "customer"), call.at
    customer = store.get_living("customer", named, param="customer", lock=True)
    fields = call.only(INVOICE_FIELDS)
    if "days_until_due" in call.params:
        fields["due_date"] = at + call.params["days_until_due"] * DAY
    if fields.get("collection_method") == "send_invoice" and "due_date" not in fields:
        raise missing_param("days_until_due")
    if method_id := call.params.get("default_payment_method"):
        method = method_of_customer(method_id, customer, at=at, param="default_payment_method")
        fields["default_payment_method"] = method.stripe_id
    fields |= {"currency": _currency(call.params, customer), "metadata": call.metadata()}
    data = new_invoice(at, customer=customer.data, lines=[], **fields)
    # Before 2022-08-01 an invoice took all that waited unless it was told not to.
    usual = "exclude" if call.is_pinned else "include"
    if call.params.get("pending_invoice_items_behavior", usual) == "include":
        data = invoice_lines.with_pending_items(data)
    return invoices.create_draft(data, at=at)


@route("POST", "invoices/create_preview", params="InvoiceCreatePreviewParams")
def preview_invoice(call: Call) -> Json:
    """What a change of a subscription would cost, or its next invoice; nothing is kept of it."""
    refuse_unsupported(call.params, UNSUPPORTED_OF_PREVIEWS, of="previews")
    subscription, at = store.locked("subscription", require_param(call.params, "subscription"), param="subscription")
    details = call.params.get("subscription_details") or {}
    if unknown := set(details) - KNOWN_OF_PREVIEWS:
        name = f"subscription_details[{min(unknown)}]"
        raise StripeRefusal(f"The emulator previews other items only, not {name}.", param=name)
    if subscription.data["status"] in subscription_status.ENDED:
        raise StripeRefusal("You cannot preview the upcoming invoice for a canceled subscription.")
    items = [{"metadata": {}, **row} for row in details.get("items", [])]
    return renewals.preview_update(subscription, {**details, "items": items}, at=at)


@route("POST", "invoices/{id}/finalize", params="InvoiceFinalizeInvoiceParams")
def finalize_invoice(call: Call, *, id: str) -> StoredObject:
    invoice, at = invoices.lock_invoice(id)
    invoice.change(**call.only(("auto_advance",)))
    invoices.finalize(invoice, at=at)
    if invoice.data["auto_advance"]:
        invoice_collection.collect(invoice, at=at)
    return invoice


@route("POST", "invoices/{id}/pay", params="InvoicePayParams")
def pay_invoice(call: Call, *, id: str) -> StoredObject:
    invoice, at = invoices.lock_invoice(id)
    if call.params.get("paid_out_of_band"):
        if invoices.open_for_payment(invoice, at=at):
            invoices.mark_paid_out_of_band(invoice, at=at)
        return invoice
    method = None
    if method_id := call.params.get("payment_method"):
        customer = store.get("customer", invoice.data["customer"], lock=True)
        method = method_of_customer(method_id, customer, at=at, param="payment_method")
    invoices.pay_invoice(invoice, at=at, method=method)
    return invoice


@route("POST", "invoices/{id}/void", params="InvoiceVoidInvoiceParams")
def void_invoice(call: Call, *, id: str) -> StoredObject:
    invoice, at = invoices.lock_invoice(id)
    invoices.void(invoice, at=at)
    return invoice


@route("POST", "invoices/{id}/mark_uncollectible", params="InvoiceMarkUncollectibleParams")
def mark_uncollectible(call: Call, *, id: str) -> StoredObject:
    invoice, at = invoices.lock_invoice(id)
    invoice_collection.mark_uncollectible(invoice, at=at)
    return invoice


@route("POST", "invoiceitems", params="InvoiceItemCreateParams")
def create_invoice_item(call: Call) -> StoredObject:
    """Something over an amount that waits for the customer's next invoice."""
    refuse_unsupported(call.params, UNSUPPORTED_OF_ITEMS, of="invoice items")
    customer = store.get_living("customer", require_param(call.params, "customer"), param="customer")
    fields = call.only(ITEM_FIELDS)
    if "amount" not in fields:
        raise missing_param("amount")
    currency = known_currency(call.params.get("currency") or customer.data["currency"] or "usd")
    check_greatest(abs(fields["amount"]), currency)
    check_step(fields["amount"], currency)
    fields |= {"currency": currency, "metadata": call.metadata()}
    return invoice_lines.create_item(customer=customer.stripe_id, at=call.at, **fields)


def _currency(params: Json, customer: StoredObject) -> str:
    """The one that is told, else that of what waits for the customer's next invoice."""
    if "currency" in params:
        return known_currency(params["currency"])
    waiting = store.find("invoiceitem", customer=customer.stripe_id, invoice=None).first()
    return str(waiting.data["currency"]) if waiting else customer.data["currency"] or "usd"
