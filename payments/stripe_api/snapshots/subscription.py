"""Subscriptions, their invoices and what pays those, in our words.

https://docs.stripe.com/api/subscriptions/object, https://docs.stripe.com/api/invoices/object
Many fields moved with https://docs.stripe.com/changelog/basil: both shapes are read.
"""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from payments.facts import InvoiceFact, Item, ObjectRefs, SubscriptionFact, Terms
from payments.statuses import INVOICE_STATUSES, PAUSE_BEHAVIORS, SubscriptionStatus
from payments.stripe_api.snapshots.reading import (
    MAX_AMOUNT,
    MAX_WORD_LENGTH,
    Json,
    MalformedObject,
    find_moment,
    find_object,
    find_rows,
    find_text,
    find_uuid,
    get_amount,
    get_currency,
    get_id,
    get_word,
    id_of,
    read_billing_refs,
)

MAX_SLUG_LENGTH, MAX_COUNT, MAX_QUANTITY = 50, 32_000, 2**31 - 1
STATUSES = frozenset(SubscriptionStatus.values) - {SubscriptionStatus.UNKNOWN}


@dataclass(frozen=True, slots=True)
class StripeSubscription:
    """`raw` is read further only where it is asked for: the terms of a subscription decide about no money."""

    refs: ObjectRefs
    status: str
    raw: Json

    @classmethod
    def read(cls, source: Json) -> "StripeSubscription":
        """Raises MalformedObject without an id, or with a status that we do not know."""
        refs = read_billing_refs(source, subscription=get_id(source), customer=id_of(source.get("customer")))
        return cls(refs=refs, status=_known_word(source, "status", STATUSES), raw=source)

    @property
    def period(self) -> tuple[datetime | None, datetime | None]:
        """The period that is running: since basil told by each item, before that by the subscription itself."""
        holders = [*find_rows(self.raw, "items"), self.raw]
        starts = [moment for each in holders if (moment := find_moment(each, "current_period_start"))]
        ends = [moment for each in holders if (moment := find_moment(each, "current_period_end"))]
        return min(starts, default=None), max(ends, default=None)

    @property
    def cancel_at(self) -> datetime | None:
        """When it is going to end: a date, or the end of the period, whichever way that was asked for."""
        at_period_end = self.period[1] if self.raw.get("cancel_at_period_end") is True else None
        return find_moment(self.raw, "cancel_at") or at_period_end

    @property
    def pause(self) -> str:
        """What becomes of invoices while nothing is collected; "" where it is.

        https://docs.stripe.com/billing/subscriptions/pause-payment Raises MalformedObject for a word of which we do
        not know what it means.
        """
        paused = find_object(self.raw, "pause_collection")
        return _known_word(paused, "behavior", PAUSE_BEHAVIORS) if paused else ""

    @property
    def days_until_due(self) -> int:
        """How long somebody has who is sent invoices; 0 where Stripe charges by itself."""
        is_sent = self.raw.get("collection_method") == "send_invoice"
        return _whole(self.raw, "days_until_due", most=MAX_COUNT) or 0 if is_sent else 0

    def to_fact(self, *, at: datetime, from_created_event: bool = False) -> SubscriptionFact:
        """The whole of it as it was at that moment. Raises MalformedObject."""
        start, end = self.period
        metadata = find_object(self.raw, "metadata")
        return SubscriptionFact(
            self.refs,
            status=self.status,
            occurred_at=at,
            terms=read_terms(self.raw),
            started_at=find_moment(self.raw, "start_date"),
            period_start=start,
            period_end=end,
            trial_end=find_moment(self.raw, "trial_end"),
            cancel_at=self.cancel_at,
            canceled_at=find_moment(self.raw, "canceled_at"),
            ended_at=find_moment(self.raw, "ended_at"),
            pause=self.pause,
            resumes_at=find_moment(find_object(self.raw, "pause_collection"), "resumes_at"),
            days_until_due=self.days_until_due,
            order=find_uuid(metadata, "orderId"),
            plan=find_text(metadata, "plan", longest=MAX_SLUG_LENGTH),
            from_created_event=from_created_event,
        )


def read_terms(source: Json) -> Terms:
    """What one period costs: all items together, named by the first. A price without a fixed amount counts as 0."""
    rows = find_rows(source, "items")
    if not rows:
        return Terms()
    items, currency = tuple(_item(row, source) for row in rows), _currency(rows[0])
    same = [(row, item) for row, item in zip(rows, items, strict=True) if _currency(row) == currency]
    total = sum(_amount(_price(row)) * item.quantity for row, item in same)
    return Terms(
        price=items[0].price,
        amount=min(round(total), MAX_AMOUNT),
        currency=currency,
        interval=items[0].interval,
        interval_count=items[0].interval_count,
        quantity=items[0].quantity,
        items=items,
    )


def _item(row: Json, source: Json) -> Item:
    price = _price(row)
    recurring = find_object(price, "recurring") or price
    quantity = _whole(row, "quantity", most=MAX_QUANTITY)
    if quantity is None and row.get("quantity") is not None:
        raise MalformedObject(f"{id_of(source)}: the quantity of its item {id_of(row)} is no number that fits.")
    return Item(
        price=id_of(price),
        quantity=1 if quantity is None else quantity,
        interval=find_text(recurring, "interval", longest=10),
        interval_count=_whole(recurring, "interval_count", most=MAX_COUNT) or 1,
        period_start=find_moment(row, "current_period_start") or find_moment(source, "current_period_start"),
        period_end=find_moment(row, "current_period_end") or find_moment(source, "current_period_end"),
    )


def _price(item: Json) -> Json:
    """Its price; the oldest subscriptions have only the plan, which tells the same."""
    return find_object(item, "price") or find_object(item, "plan")


def _currency(row: Json) -> str:
    return find_text(_price(row), "currency", longest=3).lower()


def _amount(price: Json) -> int | Decimal:
    """Of one, in minor units; Stripe also knows parts of them. What is counted by use has no amount beforehand."""
    if (find_object(price, "recurring") or price).get("usage_type") == "metered":
        return 0
    for name in ("unit_amount", "amount"):
        if (value := _whole(price, name, most=MAX_AMOUNT)) is not None:
            return value
    try:
        amount = Decimal(find_text(price, "unit_amount_decimal") or find_text(price, "amount_decimal") or 0)
    except InvalidOperation:
        return 0
    return amount if amount.is_finite() and 0 <= amount <= MAX_AMOUNT else 0


def _whole(source: Json, name: str, *, most: int) -> int | None:
    """A whole number, not negative, at most so great; None for anything else."""
    value = source.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most else None


def _known_word(source: Json, name: str, known: Container[str]) -> str:
    """A word that decides. Raises MalformedObject where none is told, or one of which we do not know what it means."""
    if (word := get_word(source, name)) in known:
        return word
    raise MalformedObject(f"{id_of(source) or name}: {name} is “{word[:40]}”, which is not known here.")


@dataclass(frozen=True, slots=True)
class StripeInvoice:
    """`about.subscription` is "" where it belongs to none."""

    refs: ObjectRefs
    status: str
    raw: Json

    @classmethod
    def read(cls, source: Json) -> "StripeInvoice":
        """Raises MalformedObject without an id, or with a status that we do not know."""
        parent = find_object(find_object(source, "parent"), "subscription_details")
        former = find_object(source, "subscription_details")
        payment = _payment(source)
        refs = read_billing_refs(
            parent or former,
            subscription=id_of(parent.get("subscription")) or id_of(source.get("subscription")),
            customer=id_of(source.get("customer")),
            invoice=get_id(source),
            payment_intent=id_of(source.get("payment_intent")) or id_of(payment.get("payment_intent")),
            charge=id_of(source.get("charge")) or id_of(payment.get("charge")),
        )
        return cls(refs=refs, status=_known_word(source, "status", INVOICE_STATUSES), raw=source)

    @property
    def is_paid(self) -> bool:
        """Nothing is left to pay: paid, free, or settled by another way than Stripe."""
        return self.status == "paid"

    @property
    def next_try_at(self) -> datetime | None:
        """When Stripe tries again by itself; None: not any more."""
        return find_moment(self.raw, "next_payment_attempt")

    @property
    def finalization_error(self) -> str:
        """Why it could not be made ready to be paid."""
        error = find_object(self.raw, "last_finalization_error")
        return find_text(error, "code", longest=MAX_WORD_LENGTH) or find_text(error, "type", longest=MAX_WORD_LENGTH)

    def to_fact(self, *, at: datetime) -> InvoiceFact:
        """Its money as it was at that moment. Raises MalformedObject where a paid one does not tell how much."""
        if not self.is_paid:
            return InvoiceFact(self.refs, status=self.status, occurred_at=at, prices=self._prices())
        received = get_amount(self.raw, "amount_paid")
        off_stripe = self._off_stripe()
        start, end = self._period()
        return InvoiceFact(
            self.refs,
            status=self.status,
            occurred_at=at,
            received=max(received, off_stripe),
            currency=get_currency(self.raw),
            paid_at=find_moment(find_object(self.raw, "status_transitions"), "paid_at") or at,
            period_start=start,
            period_end=end,
            off_stripe=off_stripe,
            prices=self._prices(),
        )

    def _off_stripe(self) -> int:
        """Before it was told as an amount, all or nothing came by another way."""
        if isinstance(self.raw.get("amount_paid_off_stripe"), int):
            return get_amount(self.raw, "amount_paid_off_stripe")
        return get_amount(self.raw, "amount_due") if self.raw.get("paid_out_of_band") is True else 0

    def _period(self) -> tuple[datetime | None, datetime | None]:
        """The latest period that a line charges; prorations settle what was charged before."""
        lines = [find_object(line, "period") for line in find_rows(self.raw, "lines") if _is_period(line)]
        ends = [(end, find_moment(period, "start")) for period in lines if (end := find_moment(period, "end"))]
        if not ends:
            return None, None
        last = max(end for end, _start in ends)
        return min((start for end, start in ends if end == last and start), default=None), last

    def _prices(self) -> tuple[str, ...]:
        prices = (_price_of(line) for line in find_rows(self.raw, "lines"))
        return tuple(dict.fromkeys(filter(None, prices)))


@dataclass(frozen=True, slots=True)
class StripeInvoicePayment:
    """The link between an invoice and what pays it: https://docs.stripe.com/api/invoice-payment/object"""

    refs: ObjectRefs

    @classmethod
    def read(cls, source: Json) -> "StripeInvoicePayment":
        """Raises MalformedObject without an id."""
        get_id(source)
        payment = find_object(source, "payment")
        return cls(
            ObjectRefs(
                invoice=id_of(source.get("invoice")),
                payment_intent=id_of(payment.get("payment_intent")),
                charge=id_of(payment.get("charge")),
            )
        )


def _payment(source: Json) -> Json:
    """What pays it, where the list of payments was asked for: the paid one, else the usual one."""
    rows = find_rows(source, "payments")
    chosen = [row for row in rows if row.get("status") == "paid"] or [row for row in rows if row.get("is_default")]
    return find_object(chosen[0], "payment") if chosen else {}


def _is_period(line: Json) -> bool:
    details = find_object(find_object(line, "parent"), "subscription_item_details")
    is_item = bool(details) or line.get("type") == "subscription"
    return is_item and details.get("proration") is not True and line.get("proration") is not True


def _price_of(line: Json) -> str:
    pricing = find_object(find_object(line, "pricing"), "price_details")
    return id_of(pricing.get("price")) or id_of(line.get("price")) or id_of(line.get("plan"))
