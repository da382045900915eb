"""Invoice items: https://docs.stripe.com/api/invoiceitems"""

from stripe_emulator import clock, store
from stripe_emulator.api.listing import page
from stripe_emulator.api.metadata import merged
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.life import invoice_items, invoices
from stripe_emulator.life.catalogue import create_price, missing
from stripe_emulator.life.currencies import GREATEST_AMOUNT, known_currency
from stripe_emulator.models import StoredObject
from stripe_emulator.shapes.invoice_line import priced

FIELDS = ("description", "discountable", "period")
FILTERS = ("customer", "invoice")


@answers("POST", "invoiceitems", params="InvoiceItemCreateParams")
def create(call: Call) -> Json:
    invoice = invoices.hold(call.params["invoice"]) if call.params.get("invoice") else None
    named = call.params.get("customer") or (invoice.data["customer"] if invoice else "")
    if not named:
        raise missing("customer")
    customer = store.get_living("customer", named, param="customer")
    at = clock.now_for(invoice) if invoice else call.at
    fields = {name: call.params[name] for name in FIELDS if name in call.params} | _sums(call.params, at)
    usual = (invoice.data["currency"] if invoice else customer.data["currency"]) or "usd"
    fields.setdefault("currency", known_currency(call.params.get("currency", usual)))
    fields["metadata"] = merged({}, call.params.get("metadata"))
    return invoice_items.add_item(customer=customer.stripe_id, at=at, invoice=invoice, **fields).data


@answers("GET", "invoiceitems", params="InvoiceItemListParams")
def list_all(call: Call) -> Json:
    rows = store.find("invoiceitem", **{name: call.params[name] for name in FILTERS if name in call.params})
    if "pending" in call.params:
        waiting = {"data__contains": {"invoice": None}}
        rows = rows.filter(**waiting) if call.params["pending"] else rows.exclude(**waiting)
    return page(rows, call.params, url="/v1/invoiceitems", render=lambda stored: stored.data)


@answers("GET", "invoiceitems/{id}", params="InvoiceItemRetrieveParams")
def retrieve(call: Call, *, id: str) -> Json:
    item = store.get("invoiceitem", id, param="invoiceitem")
    return store.stub(item) if item.is_deleted else item.data


@answers("POST", "invoiceitems/{id}", params="InvoiceItemUpdateParams")
def update(call: Call, *, id: str) -> Json:
    item, invoice = _held(id)
    fields = {name: call.params[name] or None for name in FIELDS if name in call.params}
    if {"amount", "quantity", "unit_amount_decimal", "price_data", "pricing"} & set(call.params):
        fields |= _sums(_as_told(item.data) | call.params, clock.now_for(item))
    fields["metadata"] = merged(item.data["metadata"], call.params.get("metadata"))
    invoice_items.change_item(item, invoice=invoice, **fields)
    return item.data


@answers("DELETE", "invoiceitems/{id}", params="InvoiceItemDeleteParams")
def delete(call: Call, *, id: str) -> Json:
    item, invoice = _held(id)
    return invoice_items.delete_item(item, invoice=invoice, at=clock.now_for(item))


def _held(id: str) -> tuple[StoredObject, StoredObject | None]:
    """The item and the invoice that it is on, both locked."""
    on = store.get_living("invoiceitem", id, param="invoiceitem").data["invoice"]
    invoice = invoices.hold(on) if on else None
    return store.get_living("invoiceitem", id, param="invoiceitem", lock=True), invoice


def _as_told(item: Json) -> Json:
    """How an item would be described by parameters."""
    if item["pricing"]:
        return {"quantity": item["quantity"], "pricing": {"price": item["pricing"]["price_details"]["price"]}}
    return {"quantity": item["quantity"], "unit_amount_decimal": str(item["amount"] // (item["quantity"] or 1))}


def _sums(params: Json, at: int) -> Json:
    """The amount, from a price, from a unit amount, or as it is told. Raises StripeRefusal."""
    quantity = params.get("quantity", 1)
    if price := _price(params, at):
        amount, told = price["unit_amount"] * quantity, {"currency": price["currency"], "pricing": priced(price)}
    elif "amount" in params:
        amount, quantity, told = params["amount"], 1, {}
    elif "unit_amount_decimal" in params:
        amount, told = _whole(params["unit_amount_decimal"]) * quantity, {}
    else:
        raise missing("amount")
    if abs(amount) > GREATEST_AMOUNT:
        raise StripeRefusal(f"Amount must be no more than {GREATEST_AMOUNT}.", code="amount_too_large", param="amount")
    return {"amount": amount, "net_amount": amount, "quantity": quantity, "quantity_decimal": str(quantity), **told}


def _price(params: Json, at: int) -> Json | None:
    """The price that is named or described; older versions name it in `price`."""
    if params.get("price_data"):
        return create_price(params["price_data"], at=at, path="price_data").data
    named = (params.get("pricing") or {}).get("price") or params.get("price")
    if not named:
        return None
    price = store.get("price", named, param="pricing[price]").data
    if price["recurring"]:
        message = "The price must be paid once: this one recurs."
        raise StripeRefusal(message, param="pricing[price]")
    return price


def _whole(decimal: str) -> int:
    if not decimal.removeprefix("-").isdecimal():
        message = "Invalid unit_amount_decimal: the emulator knows whole numbers of minor units only."
        raise StripeRefusal(message, code="parameter_invalid_integer", param="unit_amount_decimal")
    return int(decimal)
