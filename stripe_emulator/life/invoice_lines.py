"""What an invoice asks for: a subscription's items for a period, and what waits for the customer's next invoice."""

from stripe_emulator import store
from stripe_emulator.models import Json, StoredObject
from stripe_emulator.shapes.invoice import summed
from stripe_emulator.shapes.invoice_line import new_invoice_line, priced


def lines_for(subscription: Json, *, is_trial: bool = False) -> list[Json]:
    """One line for each item of the subscription, for the period that the item is in; a trial costs nothing."""
    return [_subscription_line(subscription, item, is_trial=is_trial) for item in subscription["items"]["data"]]


def line_of(item: Json) -> Json:
    """The line of an invoice item."""
    details = {"invoice_item": item["id"], "proration": False, "proration_details": None, "subscription": None}
    return new_invoice_line(
        amount=item["amount"],
        quantity=item["quantity"],
        currency=item["currency"],
        description=item["description"],
        discountable=item["discountable"],
        metadata=item["metadata"],
        parent={"invoice_item_details": details, "subscription_item_details": None, "type": "invoice_item_details"},
        period=item["period"],
        pricing=item["pricing"],
    )


def take_waiting(data: Json) -> Json:
    """The draft with what waits for its customer's next invoice in this currency; that waits no longer."""
    waiting = store.find("invoiceitem", customer=data["customer"], currency=data["currency"], invoice=None)
    items = list(waiting.select_for_update())[::-1]
    for item in items:
        item.change(invoice=data["id"])
    lines = [*data["lines"]["data"], *(line_of(item.data) for item in items)]
    return {**data, **summed(data["id"], lines)}


def rewrite(invoice: StoredObject, item: StoredObject, *, is_gone: bool = False) -> None:
    """Bring the line of an invoice item in a draft up to date; a line that is not there yet is added."""
    lines = invoice.data["lines"]["data"]
    line = line_of(item.data)
    places = [place for place, each in enumerate(lines) if _item_behind(each) == item.stripe_id]
    place = places[0] if places else len(lines)
    if places:
        line["id"] = lines[place]["id"]
    invoice.change(**summed(invoice.stripe_id, [*lines[:place], *([] if is_gone else [line]), *lines[place + 1 :]]))


def _item_behind(line: Json) -> str:
    details = line["parent"]["invoice_item_details"]
    return details["invoice_item"] if details else ""


def _subscription_line(subscription: Json, item: Json, *, is_trial: bool) -> Json:
    price, quantity = item["price"], item["quantity"]
    name = store.get("product", price["product"]).data["name"]
    details = {
        "invoice_item": None,
        "proration": False,
        "proration_details": None,
        "subscription": subscription["id"],
        "subscription_item": item["id"],
    }
    return new_invoice_line(
        amount=0 if is_trial else price["unit_amount"] * quantity,
        quantity=quantity,
        currency=price["currency"],
        description=f"Trial period for {name}" if is_trial else f"{quantity} × {name}",
        metadata=subscription["metadata"],
        parent={
            "invoice_item_details": None,
            "subscription_item_details": details,
            "type": "subscription_item_details",
        },
        period={"end": item["current_period_end"], "start": item["current_period_start"]},
        pricing=priced(price),
        subscription=subscription["id"],
    )
