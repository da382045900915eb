"""What another price costs today: https://docs.stripe.com/billing/subscriptions/prorations

Counted by the second, once: a preview and the change itself ask here.
"""

from dataclasses import dataclass

from stripe_emulator.behaviour.invoice_lines import product_name
from stripe_emulator.behaviour.subscription_items import changed_items, interval_of, period_of
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.billing import new_invoice_line, pricing_of

USUAL_BEHAVIOR = "create_prorations"


@dataclass(frozen=True, slots=True)
class ItemsChange:
    """`items` as they will be; `lines`: what is credited and charged for the rest of the period, as of `date`.

    `restarts`: another interval, so a new period begins now and is billed at once, with the lines. Otherwise they are
    billed now (`is_billed_now`) or wait for the next invoice.
    """

    items: list[Json]
    lines: list[Json]
    date: int
    restarts: bool
    is_billed_now: bool


def items_change(subscription: StoredObject, params: Json, *, at: int) -> ItemsChange:
    """What the `items`, `proration_behavior` and `proration_date` of an update come to. Raises StripeRefusal."""
    before, behavior = subscription.data["items"]["data"], params.get("proration_behavior") or USUAL_BEHAVIOR
    after = changed_items(subscription, params["items"], at=at)
    is_trial = subscription.data["status"] == "trialing"
    restarts = not is_trial and interval_of(after[0]["price"]) != interval_of(before[0]["price"])
    date = _date(subscription.data, params.get("proration_date"), at)
    lines = []
    if behavior != "none" and not is_trial:
        lines = _lines(subscription.data, before, after, date=date, restarts=restarts)
    is_billed_now = restarts or (behavior == "always_invoice" and bool(lines))
    return ItemsChange(after, lines, date, restarts, is_billed_now)


def share(amount: int, *, left: int, whole: int) -> int:
    """The part of the amount (minor units) for so many seconds of all, to the nearest unit."""
    return (2 * amount * left + whole) // (2 * whole)


def _date(subscription: Json, given: int | None, at: int) -> int:
    """The second from which it counts. Raises StripeRefusal outside the current period."""
    start, end = period_of(subscription)
    if given is None:
        return min(max(at, start), end)
    if not start <= given <= end:
        message = "Invalid proration_date: it must lie within the current period of the subscription."
        raise StripeRefusal(message, param="proration_date")
    return given


def _lines(subscription: Json, before: list[Json], after: list[Json], *, date: int, restarts: bool) -> list[Json]:
    """Credit for what is no longer used; the rest of the period at the new price, unless a new one begins."""
    terms = {item["id"]: _terms(item) for item in after}
    known = {item["id"]: _terms(item) for item in before}
    ended = [item for item in before if restarts or terms.get(item["id"]) != known[item["id"]]]
    begun = [item for item in after if not restarts and known.get(item["id"]) != terms[item["id"]]]
    start, end = period_of(subscription)
    credits = [_line(subscription, item, date, start, end, sign=-1) for item in ended]
    charges = [_line(subscription, item, date, start, end, sign=1) for item in begun]
    return [line for line in (*credits, *charges) if line["amount"]]


def _terms(item: Json) -> tuple[str, int]:
    return item["price"]["id"], item["quantity"]


def _line(subscription: Json, item: Json, date: int, start: int, end: int, *, sign: int) -> Json:
    price, quantity = item["price"], item["quantity"]
    amount = sign * share(price["unit_amount"] * quantity, left=end - date, whole=end - start)
    about = {"subscription": subscription["id"], "subscription_item": item["id"], "invoice_item": None}
    details = {**about, "proration": True, "proration_details": {"credited_items": None}}
    kind = "subscription_item_details"
    return new_invoice_line(
        amount=amount,
        quantity=quantity,
        currency=price["currency"],
        description=f"{'Unused' if sign < 0 else 'Remaining'} time on {product_name(price)}",
        metadata=subscription["metadata"],
        parent={"invoice_item_details": None, kind: details, "type": kind},
        period={"start": date, "end": end},
        pricing=pricing_of(price),
        subscription=subscription["id"],
    )
