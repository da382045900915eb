"""What an invoice asks for: a subscription's items for a period, and invoice items that wait for the next invoice."""

from typing import Any

from stripe_emulator import store
from stripe_emulator.errors import Json
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.billing import new_invoice_item, new_invoice_line, pricing_of, with_totals

SHARED_WITH_LINE = (
    "amount", "quantity", "currency", "description", "discountable", "metadata", "period", "pricing",
)  # fmt: skip


def subscription_lines(subscription: Json, *, is_trial: bool = False) -> list[Json]:
    """One line for each item of the subscription, for the period that the item is in; a trial costs nothing."""
    return [_subscription_line(subscription, item, is_trial=is_trial) for item in subscription["items"]["data"]]


def with_pending_items(data: Json) -> Json:
    """The draft with what waits for its customer's next invoice in this currency; that waits no longer."""
    waiting = store.find("invoiceitem", customer=data["customer"], currency=data["currency"], invoice=None)
    items = list(waiting.select_for_update())[::-1]
    for item in items:
        item.change(invoice=data["id"])
    lines = [*data["lines"]["data"], *(_item_line(item.data) for item in items)]
    return {**data, **with_totals(data["id"], lines)}


def create_item(*, customer: str, currency: str, at: int, amount: int, **fields: Any) -> StoredObject:
    """Let it wait for the customer's next invoice. `amount` in minor units."""
    item = store.keep(new_invoice_item(at, amount=amount, customer=customer, currency=currency, **fields))
    emit("invoiceitem.created", item, at=at)
    return item


def create_priced_item(price: Json, quantity: int, *, customer: str, at: int) -> StoredObject:
    """So many of a price that is paid once."""
    told = {"quantity": quantity, "description": product_name(price), "pricing": pricing_of(price)}
    amount = price["unit_amount"] * quantity
    return create_item(customer=customer, currency=price["currency"], at=at, amount=amount, **told)


def wait_for_next(lines: list[Json], *, customer: str, at: int) -> None:
    """Let lines that were worked out already wait for the customer's next invoice."""
    for line in lines:
        told = {name: line[name] for name in SHARED_WITH_LINE}
        create_item(customer=customer, at=at, proration=True, proration_details={"credited_items": None}, **told)


def _item_line(item: Json) -> Json:
    """The line of an invoice item."""
    told = {"proration": item["proration"], "proration_details": item["proration_details"]}
    details = {"invoice_item": item["id"], "subscription": None, **told}
    parent = {"invoice_item_details": details, "subscription_item_details": None, "type": "invoice_item_details"}
    return new_invoice_line(parent=parent, **{name: item[name] for name in SHARED_WITH_LINE})


def _subscription_line(subscription: Json, item: Json, *, is_trial: bool) -> Json:
    price, quantity = item["price"], item["quantity"]
    name, about = product_name(price), {"subscription": subscription["id"], "subscription_item": item["id"]}
    details = {"invoice_item": None, "proration": False, "proration_details": None, **about}
    kind = "subscription_item_details"
    return new_invoice_line(
        amount=0 if is_trial else price["unit_amount"] * quantity,
        quantity=quantity,
        currency=price["currency"],
        description=f"Trial period for {name}" if is_trial else f"{quantity} × {name}",
        metadata=subscription["metadata"],
        parent={"invoice_item_details": None, kind: details, "type": kind},
        period={"end": item["current_period_end"], "start": item["current_period_start"]},
        pricing=pricing_of(price),
        subscription=subscription["id"],
    )


def product_name(price: Json) -> str:
    """What is sold at this price is called so."""
    return str(store.get("product", price["product"]).data["name"])
