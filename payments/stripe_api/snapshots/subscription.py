"""A subscription in our words: https://docs.stripe.com/api/subscriptions/object"""

from dataclasses import dataclass
from datetime import datetime

from payments.facts import About, SubscriptionFact, Terms
from payments.stripe_api.snapshots.reading import (
    GREATEST_AMOUNT,
    Json,
    find_moment,
    find_object,
    find_rows,
    find_text,
    find_uuid,
    get_id,
    get_word,
    id_of,
    read_billing_about,
)

LONGEST_STATUS, LONGEST_SLUG, MOST = 30, 50, 32_000


@dataclass(frozen=True, slots=True)
class Subscription:
    """`raw` is read further only where it is asked for: the terms of a subscription decide about no money."""

    about: About
    status: str
    raw: Json

    @classmethod
    def read(cls, source: Json) -> "Subscription":
        """Raises MalformedObject without an id or a status."""
        about = read_billing_about(source, subscription=get_id(source), customer=id_of(source.get("customer")))
        return cls(about=about, status=get_word(source, "status")[:LONGEST_STATUS], raw=source)

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

    def told(self, *, at: datetime, is_birth: bool = False) -> SubscriptionFact:
        """The whole of it as it was at that moment."""
        start, end = self.period
        metadata = find_object(self.raw, "metadata")
        return SubscriptionFact(
            self.about,
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
            order=find_uuid(metadata, "orderId"),
            plan=find_text(metadata, "plan", longest=LONGEST_SLUG),
            is_birth=is_birth,
        )


def read_terms(source: Json) -> Terms:
    """What one period costs: all items together, named by the first. A price without a fixed amount counts as 0."""
    rows = find_rows(source, "items")
    if not rows:
        return Terms()
    price = _price(rows[0])
    recurring = find_object(price, "recurring") or price
    return Terms(
        price=id_of(price),
        amount=min(sum(_amount(_price(row)) * _count(row, "quantity") for row in rows), GREATEST_AMOUNT),
        currency=find_text(price, "currency", longest=3),
        interval=find_text(recurring, "interval", longest=10),
        interval_count=_count(recurring, "interval_count"),
        quantity=_count(rows[0], "quantity"),
    )


def _price(item: Json) -> Json:
    """Its price; the oldest subscriptions have only the plan, which tells the same."""
    return find_object(item, "price") or find_object(item, "plan")


def _amount(price: Json) -> int:
    for name in ("unit_amount", "amount"):
        value = price.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= GREATEST_AMOUNT:
            return value
    return 0


def _count(source: Json, name: str) -> int:
    value = source.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST else 1
