"""Since when nothing needs anybody, and what was done by itself today: from rows that an index finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import ngettext

from payments.billing.models import Dispute, Payment, Refund
from payments.ledger.models import PaymentEvent
from payments.orders.models import OrderException
from payments.products import all_products
from payments.sql import capped_counts
from payments.statuses import DISPUTE_UNANSWERED, EventStatus, RefundStatus

COUNTED_AT_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Done:
    """Something that happened by itself: the rows of it, the words for so many, and whose screen tells of them."""

    rows: QuerySet[Any]
    words: Callable[[int], str]
    tells_of: str


def done_since(since: datetime, may_see: Callable[[str], bool]) -> list[str]:
    """What was done by itself from then on, as far as this person may see it: "12 payments confirmed", …. One query."""
    of_products = (each for product in all_products() for each in product.done_by_itself(since=since))
    kinds = [kind for kind in (*_of_payments(since), *of_products) if may_see(kind.tells_of)]
    counts = capped_counts([kind.rows for kind in kinds], most=COUNTED_AT_MOST)
    return [kind.words(count) for kind, count in zip(kinds, counts, strict=True) if count]


def start_of_day(at: datetime) -> datetime:
    """Midnight in the site's zone."""
    return timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)


def settled_at() -> datetime | None:
    """When the last thing that needed somebody was settled; None: nothing ever did. Three look-ups."""
    closed = OrderException.objects.filter(is_open=False, closed_at__isnull=False).order_by("-closed_at")
    answered = Dispute.objects.exclude(status__in=DISPUTE_UNANSWERED).order_by("-status_at")
    moments = (
        closed.values_list("closed_at", flat=True).first(),
        answered.values_list("status_at", flat=True).first(),
        _retried().order_by("-processed_at").values_list("processed_at", flat=True).first(),
    )
    return max((moment for moment in moments if moment), default=None)


def _retried() -> QuerySet[PaymentEvent]:
    return PaymentEvent.objects.filter(status=EventStatus.PROCESSED, attempts__gt=1)


def _of_payments(since: datetime) -> Iterator[Done]:
    yield Done(
        Payment.objects.filter(paid_at__gte=since, received__gt=0),
        lambda n: ngettext("%(n)d payment confirmed", "%(n)d payments confirmed", n) % {"n": n},
        "payments.payment",
    )
    yield Done(
        Refund.objects.filter(status_at__gte=since, status=RefundStatus.SUCCEEDED),
        lambda n: ngettext("%(n)d refund made", "%(n)d refunds made", n) % {"n": n},
        "payments.refund",
    )
    yield Done(
        _retried().filter(processed_at__gte=since),
        lambda n: ngettext("%(n)d event retried successfully", "%(n)d events retried successfully", n) % {"n": n},
        "payments.paymentevent",
    )
