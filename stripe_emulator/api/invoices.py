"""Invoices: https://docs.stripe.com/api/invoices"""

from stripe_emulator import clock, store
from stripe_emulator.api.listing import page
from stripe_emulator.api.metadata import merged
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.life import collecting, invoice_endings, invoices, standing
from stripe_emulator.life.catalogue import missing
from stripe_emulator.life.currencies import known_currency
from stripe_emulator.life.invoice_lines import take_waiting
from stripe_emulator.life.invoice_methods import of_customer
from stripe_emulator.life.invoice_outcomes import paid_elsewhere
from stripe_emulator.life.periods import DAY
from stripe_emulator.models import StoredObject
from stripe_emulator.shapes.invoice import new_invoice, of_subscription
from stripe_emulator.timers import drop_timer, set_timer

FIELDS = ("collection_method", "custom_fields", "description", "due_date", "footer", "statement_descriptor")
FILTERS = ("collection_method", "customer", "due_date", "status")


@answers("POST", "invoices", params="InvoiceCreateParams")
def create(call: Call) -> Json:
    subscription = _subscription(call.params)
    if subscription is None and not call.params.get("customer"):
        raise missing("customer")
    named = subscription.data["customer"] if subscription else call.params["customer"]
    customer = store.get_living("customer", named, param="customer", lock=True)
    at = clock.now_for(subscription) if subscription else call.at
    fields = {name: call.params[name] for name in FIELDS if name in call.params} | _due(call.params, at)
    if "default_payment_method" in call.params:
        method = of_customer(call.params["default_payment_method"], customer, at=at, param="default_payment_method")
        fields["default_payment_method"] = method.stripe_id
    if fields.get("collection_method") == "send_invoice" and "due_date" not in fields:
        raise missing("days_until_due")
    fields |= {"auto_advance": call.params.get("auto_advance", False), "currency": _currency(call.params, customer)}
    fields |= {"parent": of_subscription(subscription.data)} if subscription else {}
    data = new_invoice(at, customer=customer.data, lines=[], **fields)
    data["metadata"] = merged({}, call.params.get("metadata"))
    # Before 2022-08-01 an invoice took all that waited unless it was told not to.
    usual = "exclude" if call.is_pinned else "include"
    if call.params.get("pending_invoice_items_behavior", usual) == "include":
        data = take_waiting(data)
    return invoices.begin(data, at=at, parent=subscription).data


@answers("GET", "invoices", params="InvoiceListParams")
def list_all(call: Call) -> Json:
    wanted: Json = {name: call.params[name] for name in FILTERS if name in call.params}
    if "subscription" in call.params:
        wanted["parent"] = {"subscription_details": {"subscription": call.params["subscription"]}}
    return page(store.find("invoice", **wanted), call.params, url="/v1/invoices", render=lambda stored: stored.data)


@answers("GET", "invoices/{id}", params="InvoiceRetrieveParams")
def retrieve(call: Call, *, id: str) -> Json:
    invoice = store.get("invoice", id, param="invoice")
    return store.stub(invoice) if invoice.is_deleted else invoice.data


@answers("POST", "invoices/{id}", params="InvoiceUpdateParams")
def update(call: Call, *, id: str) -> Json:
    invoice = invoices.hold(id)
    at = clock.now_for(invoice)
    fields: Json = {name: call.params[name] or None for name in FIELDS if name in call.params} | _due(call.params, at)
    if fields and invoice.data["status"] != "draft":
        message = "Finalized invoices can't be updated in this way."
        raise StripeRefusal(message, code="invoice_not_editable", param=next(iter(fields)))
    if "default_payment_method" in call.params:
        customer = store.get("customer", invoice.data["customer"], lock=True)
        method = of_customer(call.params["default_payment_method"], customer, at=at, param="default_payment_method")
        fields["default_payment_method"] = method.stripe_id
    fields["metadata"] = merged(invoice.data["metadata"], call.params.get("metadata"))
    fields |= _advance(invoice, call.params, at)
    if previous := invoice.change(**fields):
        emit("invoice.updated", invoice, at=at, previous=previous)
    return invoice.data


@answers("DELETE", "invoices/{id}", params="InvoiceDeleteParams")
def delete(call: Call, *, id: str) -> Json:
    invoice = invoices.hold(id)
    return invoice_endings.delete(invoice, at=clock.now_for(invoice))


@answers("POST", "invoices/{id}/finalize", params="InvoiceFinalizeInvoiceParams")
def finalize(call: Call, *, id: str) -> Json:
    invoice = invoices.hold(id)
    if "auto_advance" in call.params:
        invoice.change(auto_advance=call.params["auto_advance"])
    invoices.finalize(invoice, at=clock.now_for(invoice))
    if invoice.data["auto_advance"]:
        collecting.collect(invoice, at=clock.now_for(invoice))
    return _shown(invoice)


@answers("POST", "invoices/{id}/pay", params="InvoicePayParams")
def pay(call: Call, *, id: str) -> Json:
    invoice = invoices.hold(id)
    at = clock.now_for(invoice)
    if call.params.get("paid_out_of_band"):
        if invoices.open_for_payment(invoice, at=at):
            paid_elsewhere(invoice, at=at)
        return _shown(invoice)
    method = None
    if told := call.params.get("payment_method") or call.params.get("source"):
        customer = store.get("customer", invoice.data["customer"], lock=True)
        method = of_customer(told, customer, at=at, param="payment_method")
    invoices.pay_invoice(invoice, at=at, method=method)
    return _shown(invoice)


@answers("POST", "invoices/{id}/send", params="InvoiceSendInvoiceParams")
def send(call: Call, *, id: str) -> Json:
    invoice = invoices.hold(id)
    collecting.send(invoice, at=clock.now_for(invoice))
    return _shown(invoice)


@answers("POST", "invoices/{id}/void", params="InvoiceVoidInvoiceParams")
def void(call: Call, *, id: str) -> Json:
    invoice = invoices.hold(id)
    invoices.void(invoice, at=clock.now_for(invoice))
    return _shown(invoice)


@answers("POST", "invoices/{id}/mark_uncollectible", params="InvoiceMarkUncollectibleParams")
def mark_uncollectible(call: Call, *, id: str) -> Json:
    invoice = invoices.hold(id)
    invoice_endings.mark_uncollectible(invoice, at=clock.now_for(invoice))
    return _shown(invoice)


@answers("GET", "invoices/{id}/lines", params="InvoiceListLinesParams")
def lines(call: Call, *, id: str) -> Json:
    """All of them at once: an invoice of the emulator has few."""
    listed: Json = store.get_living("invoice", id, param="invoice").data["lines"]
    return listed


def _shown(invoice: StoredObject) -> Json:
    """As it is after all that has followed from the call."""
    invoice.refresh_from_db()
    data: Json = invoice.data
    return data


def _subscription(params: Json) -> StoredObject | None:
    if not params.get("subscription"):
        return None
    subscription = store.get("subscription", params["subscription"], param="subscription", lock=True)
    if subscription.data["status"] in standing.ENDED:
        raise StripeRefusal("The subscription has ended.", param="subscription")
    return subscription


def _currency(params: Json, customer: StoredObject) -> str:
    """The one that is told, else that of what waits for the customer's next invoice."""
    if "currency" in params:
        return known_currency(params["currency"])
    waiting = store.find("invoiceitem", customer=customer.stripe_id, invoice=None).first()
    return str(waiting.data["currency"]) if waiting else customer.data["currency"] or "usd"


def _due(params: Json, at: int) -> Json:
    """When an invoice that is sent must be paid."""
    return {"due_date": at + params["days_until_due"] * DAY} if "days_until_due" in params else {}


def _advance(invoice: StoredObject, params: Json, at: int) -> Json:
    """A draft that advances by itself from now on, or does not any more."""
    wanted = params.get("auto_advance", invoice.data["auto_advance"])
    if wanted == invoice.data["auto_advance"] or invoice.data["status"] != "draft":
        return {"auto_advance": wanted}
    if not wanted:
        drop_timer("invoice.finalize", invoice)
        return {"auto_advance": False, "automatically_finalizes_at": None}
    set_timer("invoice.finalize", invoice, at=at + invoices.HOUR)
    return {"auto_advance": True, "automatically_finalizes_at": at + invoices.HOUR}
