"""Counts days whole, from the rows: the same whenever it is done, so that doing it again puts right whatever was wrong.

A new figure is one function here, or of a product (`Product.count_days`). All of them ask by an index of the moments.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from django.db.models import Case, Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Trim

from payments.billing.models import DISPUTE_GAVE_BACK, DISPUTE_TOOK_MONEY, Dispute, Payment, Refund
from payments.figures.days import Days, day_in_sql
from payments.ledger.models import PaymentEvent
from payments.orders.models import Order
from payments.products import all_products
from payments.statuses import EVENT_DONE, EVENT_FAILING, REFUND_COUNTS, EventStatus

# Money, by currency.
RECEIVED, REFUNDED, LOST, WON_BACK = "received", "refunded", "lost", "won_back"
MONEY = (RECEIVED, REFUNDED, LOST, WON_BACK)
# Of what was received, by the city where the buyer lives.
CITY = "city"
# Orders begun on the day, by kind, and those of them that are paid by now.
BEGUN, PAID = "begun", "paid"
# Banks' refusals: of a buyer's try, and of an invoice's.
DECLINED = "declined"
# Events by the day of their receipt: all, and where they stand. `EVENTS_FAILED` are our own errors.
EVENTS, EVENTS_DONE, EVENTS_FAILED, LAG = "events", "events_done", "events_failed", "lag"
ABOUT_EVENTS = (EVENTS, EVENTS_DONE, EVENTS_FAILED, DECLINED, LAG)
OUR_OWN = (*MONEY, CITY, BEGUN, PAID, *ABOUT_EVENTS)
# Seconds from receipt to the end of processing; what took longer than the last falls into one more bucket.
LAG_BOUNDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)

# Day, figure, currency, part: how often, how much.
Key = tuple[date, str, str, str]
Totals = dict[Key, tuple[int, int]]
Line = tuple[Key, int, int]


def count_days(days: Days) -> Totals:
    """All figures of these days; what there is none of is not there."""
    counts, amounts = Counter[Key](), Counter[Key]()
    for source in SOURCES:
        for key, count, amount in source(days):
            counts[key] += count
            amounts[key] += amount
    return {key: (count, amounts[key]) for key, count in counts.items()}


def known_figures() -> list[str]:
    """The names of all figures, ours and those of products."""
    return [*OUR_OWN, *(figure.name for product in all_products() for figure in product.figures)]


def _received(days: Days) -> Iterator[Line]:
    rows = Payment.objects.filter(days.moments_of("paid_at"), received__gt=0)
    return _money(RECEIVED, rows, "paid_at", "received")


def _refunded(days: Days) -> Iterator[Line]:
    made_at = Coalesce("made_at", "status_at")
    rows = Refund.objects.alias(moment=made_at).filter(days.moments_of("moment"), status__in=REFUND_COUNTS)
    return _money(REFUNDED, rows, made_at, "amount")


def _refunded_without_rows(days: Days) -> Iterator[Line]:
    """What charges have told to be refunded beside all refunds that are known: on the payment's own day."""
    own = Q(order=OuterRef("order")) | Q(subscription=OuterRef("subscription"))
    known = Refund.objects.filter(own, payment=OuterRef("key"), currency=OuterRef("currency"), status__in=REFUND_COUNTS)
    total = Subquery(known.order_by().values("payment").annotate(total=Sum("amount")).values("total"))
    rows = Payment.objects.filter(days.moments_of("paid_at"), refunded__gt=0).annotate(told=Coalesce(total, 0))
    return _money(REFUNDED, rows.filter(refunded__gt=F("told")), "paid_at", F("refunded") - F("told"))


def _lost(days: Days) -> Iterator[Line]:
    lost_at = Coalesce("lost_at", "status_at")
    rows = Dispute.objects.alias(moment=lost_at).filter(DISPUTE_TOOK_MONEY, days.moments_of("moment"))
    return _money(LOST, rows, lost_at, "amount")


def _won_back(days: Days) -> Iterator[Line]:
    won_at = Coalesce("won_at", "status_at")
    rows = Dispute.objects.alias(moment=won_at).filter(DISPUTE_GAVE_BACK, days.moments_of("moment"))
    return _money(WON_BACK, rows, won_at, "amount")


def _money(figure: str, rows: QuerySet[Any], moment: Any, amount: Any) -> Iterator[Line]:
    grouped = rows.order_by().values(on=day_in_sql(moment), code=F("currency"))
    for row in grouped.annotate(count=Count("pk"), total=Sum(amount)):
        yield (row["on"], figure, row["code"], ""), row["count"], row["total"]


def _cities(days: Days) -> Iterator[Line]:
    """Of an order as its buyer told Checkout, of a subscription as Stripe knows its customer."""
    rows = Payment.objects.filter(days.moments_of("paid_at"), received__gt=0).order_by()
    for place in ("order__city", "subscription__customer__city"):
        known = rows.exclude(**{place: ""}).filter(**{f"{place}__isnull": False})
        grouped = known.values(on=day_in_sql("paid_at"), code=F("currency"), place=Trim(place))
        for row in grouped.annotate(count=Count("pk"), total=Sum("received")):
            yield (row["on"], CITY, row["code"], row["place"]), row["count"], row["total"]


def _orders(days: Days) -> Iterator[Line]:
    grouped = Order.objects.filter(days.moments_of("created_at")).order_by().values("kind", on=day_in_sql("created_at"))
    for row in grouped.annotate(begun=Count("pk"), paid=Count("paid_at")):
        yield (row["on"], BEGUN, "", row["kind"]), row["begun"], 0
        if row["paid"]:
            yield (row["on"], PAID, "", row["kind"]), row["paid"], 0


def _events(days: Days) -> Iterator[Line]:
    """How often each was tried does not matter, nor does a delivery of what was known."""
    refused = Q(type="payment_intent.payment_failed", order__isnull=False) | Q(
        type="invoice.payment_failed", subscription__isnull=False
    )
    lag = RawSQL("width_bucket(extract(epoch FROM processed_at - received_at), %s::numeric[])", [list(LAG_BOUNDS)])
    rows = PaymentEvent.objects.filter(days.moments_of("received_at")).order_by()
    grouped = rows.values(
        "status", on=day_in_sql("received_at"), lag=lag, is_declined=Case(When(refused, Value(1)), default=Value(0))
    )
    for row in grouped.annotate(count=Count("pk")):
        day, count = row["on"], row["count"]
        yield (day, EVENTS, "", ""), count, 0
        if row["status"] in EVENT_FAILING:
            yield (day, EVENTS_FAILED, "", ""), count, 0
        if row["status"] in EVENT_DONE:
            yield (day, EVENTS_DONE, "", ""), count, 0
            yield (day, LAG, "", str(row["lag"])), count, 0
        if row["status"] == EventStatus.PROCESSED and row["is_declined"]:
            yield (day, DECLINED, "", ""), count, 0


def _products(days: Days) -> Iterator[Line]:
    for product in all_products():
        for day, figure, part, count in product.count_days(since=days.since, until=days.until):
            yield (day, figure, "", part), count, 0


SOURCES: tuple[Callable[[Days], Iterator[Line]], ...] = (
    _received, _refunded, _refunded_without_rows, _lost, _won_back, _cities, _orders, _events, _products,
)  # fmt: skip
