"""Payments of invoices: https://docs.stripe.com/api/invoice-payment"""

from stripe_emulator import store
from stripe_emulator.api.listing import page
from stripe_emulator.api.routes import Call, answers
from stripe_emulator.errors import Json

FILTERS = ("invoice", "payment", "status")


@answers("GET", "invoice_payments", params="InvoicePaymentListParams")
def list_all(call: Call) -> Json:
    wanted = {name: call.params[name] for name in FILTERS if name in call.params}
    rows = store.find("invoice_payment", **wanted)
    return page(rows, call.params, url="/v1/invoice_payments", render=lambda stored: stored.data)


@answers("GET", "invoice_payments/{id}", params="InvoicePaymentRetrieveParams")
def retrieve(call: Call, *, id: str) -> Json:
    return store.get("invoice_payment", id, param="invoice_payment").data
