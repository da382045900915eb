"""Invoices, invoice items and invoice payments: https://docs.stripe.com/api/invoices"""

from stripe_emulator import clock, store
from stripe_emulator.api.parameters import merged_metadata
from stripe_emulator.api.routes import Call, list_page, readable, route
from stripe_emulator.behaviour import invoice_collection, invoice_lines, invoices
from stripe_emulator.behaviour.amounts import GREATEST_AMOUNT, known_currency
from stripe_emulator.behaviour.customers import method_of_customer
from stripe_emulator.behaviour.invoice_lines import with_pending_items
from stripe_emulator.behaviour.invoices import mark_paid_out_of_band
from stripe_emulator.behaviour.subscription_items import DAY
from stripe_emulator.errors import Json, StripeRefusal, missing_param, require_param
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.billing import new_invoice

INVOICE_FIELDS = ("collection_method", "custom_fields", "description", "due_date", "footer", "statement_descriptor")
INVOICE_FILTERS = ("collection_method", "customer", "due_date", "status")
UNSUPPORTED_OF_ITEMS = ("invoice", "price", "price_data", "pricing", "quantity", "subscription", "unit_amount_decimal")
PAYMENT_FILTERS = ("invoice", "payment", "status")
ITEM_FIELDS = ("description", "discountable", "period")


readable("invoice_payments", kind="invoice_payment", params="InvoicePayment", filters=PAYMENT_FILTERS)


@route("POST", "invoices", params="InvoiceCreateParams")
def create_invoice(call: Call) -> Json:
    if call.params.get("subscription"):
        raise StripeRefusal("The emulator makes the invoices of subscriptions by itself.", param="subscription")
    named, at = require_param(call.params, "customer"), call.at
    customer = store.get_living("customer", named, param="customer", lock=True)
    fields = {name: call.params[name] for name in INVOICE_FIELDS if name in call.params} | _due(call.params, at)
    if "default_payment_method" in call.params:
        method = method_of_customer(
            call.params["default_payment_method"], customer, at=at, param="default_payment_method"
        )
        fields["default_payment_method"] = method.stripe_id
    if fields.get("collection_method") == "send_invoice" and "due_date" not in fields:
        raise missing_param("days_until_due")
    fields |= {"auto_advance": call.params.get("auto_advance", False), "currency": _currency(call.params, customer)}
    data = new_invoice(at, customer=customer.data, lines=[], **fields)
    data["metadata"] = merged_metadata({}, call.params.get("metadata"))
    # Before 2022-08-01 an invoice took all that waited unless it was told not to.
    usual = "exclude" if call.is_pinned else "include"
    if call.params.get("pending_invoice_items_behavior", usual) == "include":
        data = with_pending_items(data)
    return invoices.create_draft(data, at=at).data


@route("GET", "invoices", params="InvoiceListParams")
def list_invoices(call: Call) -> Json:
    wanted: Json = {name: call.params[name] for name in INVOICE_FILTERS if name in call.params}
    if "subscription" in call.params:
        wanted["parent"] = {"subscription_details": {"subscription": call.params["subscription"]}}
    return list_page(
        store.find("invoice", **wanted), call.params, url="/v1/invoices", render=lambda stored: stored.data
    )


@route("GET", "invoices/{id}", params="InvoiceRetrieveParams")
def retrieve_invoice(call: Call, *, id: str) -> Json:
    invoice = store.get("invoice", id, param="invoice")
    return store.stub(invoice) if invoice.is_deleted else invoice.data


@route("POST", "invoices/{id}/finalize", params="InvoiceFinalizeInvoiceParams")
def finalize_invoice(call: Call, *, id: str) -> Json:
    invoice = invoices.lock_invoice(id)
    if "auto_advance" in call.params:
        invoice.change(auto_advance=call.params["auto_advance"])
    invoices.finalize(invoice, at=clock.now_for(invoice))
    if invoice.data["auto_advance"]:
        invoice_collection.collect(invoice, at=clock.now_for(invoice))
    return _reread(invoice)


@route("POST", "invoices/{id}/pay", params="InvoicePayParams")
def pay_invoice(call: Call, *, id: str) -> Json:
    invoice = invoices.lock_invoice(id)
    at = clock.now_for(invoice)
    if call.params.get("paid_out_of_band"):
        if invoices.open_for_payment(invoice, at=at):
            mark_paid_out_of_band(invoice, at=at)
        return _reread(invoice)
    method = None
    if method_id := call.params.get("payment_method"):
        customer = store.get("customer", invoice.data["customer"], lock=True)
        method = method_of_customer(method_id, customer, at=at, param="payment_method")
    invoices.pay_invoice(invoice, at=at, method=method)
    return _reread(invoice)


@route("POST", "invoices/{id}/void", params="InvoiceVoidInvoiceParams")
def void_invoice(call: Call, *, id: str) -> Json:
    invoice = invoices.lock_invoice(id)
    invoices.void(invoice, at=clock.now_for(invoice))
    return _reread(invoice)


@route("POST", "invoices/{id}/mark_uncollectible", params="InvoiceMarkUncollectibleParams")
def mark_uncollectible(call: Call, *, id: str) -> Json:
    invoice = invoices.lock_invoice(id)
    invoice_collection.mark_uncollectible(invoice, at=clock.now_for(invoice))
    return _reread(invoice)


@route("POST", "invoiceitems", params="InvoiceItemCreateParams")
def create_invoice_item(call: Call) -> Json:
    """Something over an amount that waits for the customer's next invoice."""
    for name in UNSUPPORTED_OF_ITEMS:
        if call.params.get(name):
            raise StripeRefusal(f"The emulator knows no {name} of invoice items.", param=name)
    customer = store.get_living("customer", require_param(call.params, "customer"), param="customer")
    if "amount" not in call.params:
        raise missing_param("amount")
    amount = call.params["amount"]
    if abs(amount) > GREATEST_AMOUNT:
        raise StripeRefusal(f"Amount must be no more than {GREATEST_AMOUNT}.", code="amount_too_large", param="amount")
    fields = {name: call.params[name] for name in ITEM_FIELDS if name in call.params}
    fields["currency"] = known_currency(call.params.get("currency") or customer.data["currency"] or "usd")
    fields["metadata"] = merged_metadata({}, call.params.get("metadata"))
    return invoice_lines.create_item(customer=customer.stripe_id, at=call.at, amount=amount, **fields).data


def _reread(invoice: StoredObject) -> Json:
    """As it is after all that has followed from the call."""
    invoice.refresh_from_db()
    data: Json = invoice.data
    return data


def _currency(params: Json, customer: StoredObject) -> str:
    """The one that is told, else that of what waits for the customer's next invoice."""
    if "currency" in params:
        return known_currency(params["currency"])
    waiting = store.find("invoiceitem", customer=customer.stripe_id, invoice=None).first()
    return str(waiting.data["currency"]) if waiting else customer.data["currency"] or "usd"


def _due(params: Json, at: int) -> Json:
    """When an invoice that is sent must be paid."""
    return {"due_date": at + params["days_until_due"] * DAY} if "days_until_due" in params else {}
