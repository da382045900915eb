"""How things stand, in numbers that cost what a look at the page *Health* costs: before an incident and after it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from payments.alerts.models import Alert
from payments.alerts.rules import words
from payments.billing.models import Payment
from payments.figures.recent import read_counts
from payments.incidents.models import Incident
from payments.ledger.models import DUE_STATUSES, EventSource, PaymentEvent
from payments.money import total_text
from payments.orders.models import OrderException
from payments.products import all_products
from payments.sql import capped_counts
from payments.statuses import EVENT_DONE, EVENT_FAILING, EventStatus
from payments.todo import start_of_day

A_DAY = timedelta(hours=24)
# More is told as so many.
COUNTED_AT_MOST = 100_000
# What is counted at a moment, in the order of the table.
FIGURES: dict[str, Promise] = {
    "events": gettext_lazy("Events received, last 24 hours"),
    "processed": gettext_lazy("Events processed, last 24 hours"),
    "failed": gettext_lazy("Events failed, last 24 hours"),
    "waiting": gettext_lazy("Events waiting"),
    "held": gettext_lazy("Events held back"),
    "payments": gettext_lazy("Payments, last 24 hours"),
    "alerts": gettext_lazy("Alerts open"),
    "questions": gettext_lazy("Questions open"),
}
# What happened between the two moments.
MEANWHILE: dict[str, Promise] = {
    "found": gettext_lazy("Found by the back-fill"),
    "received": gettext_lazy("Delivered by Stripe"),
    "processed": gettext_lazy("Processed"),
    "failed": gettext_lazy("Failed"),
    "payments": gettext_lazy("Payments"),
    "questions": gettext_lazy("Questions opened"),
}
Line = tuple[str, str, str]


def figures_at(*, at: datetime) -> dict[str, Any]:
    """As JSON keeps it: a number under each name of FIGURES; `revenue` of the day by currency, in minor units;
    `products`: what each counts, with its English words.
    """
    counts = read_counts(since=at - A_DAY, at=at)
    events = PaymentEvent.objects
    waiting, held, alerts, questions = capped_counts(
        [
            events.filter(status__in=DUE_STATUSES, next_attempt_at__lte=at),
            events.filter(status=EventStatus.HELD),
            Alert.objects.filter(closed_at=None),
            OrderException.objects.filter(is_open=True),
        ],
        most=COUNTED_AT_MOST,
    )
    return {
        "events": counts.events, "processed": counts.events_done, "failed": counts.events_failed,
        "payments": counts.paid, "waiting": waiting, "held": held, "alerts": alerts, "questions": questions,
        "revenue": _revenue(since=start_of_day(at), at=at),
        "products": [
            {"label": words(label)["msgid"], "count": count}
            for product in all_products() for label, count in product.count_now(at=at)
        ],
    }  # fmt: skip


def _revenue(*, since: datetime, at: datetime) -> dict[str, int]:
    rows = Payment.objects.filter(paid_at__gte=since, paid_at__lte=at, received__gt=0).order_by()
    return dict(rows.values_list("currency").annotate(total=Sum("received")))


def report_of(incident: Incident, *, at: datetime) -> dict[str, Any]:
    """`after`: the figures now; `meanwhile`: a number under each name of MEANWHILE, since the incident was opened."""
    since = incident.opened_at
    found = Count("pk", filter=Q(source=EventSource.BACKFILL))
    done = Count("pk", filter=Q(status__in=EVENT_DONE))
    failed = Count("pk", filter=Q(status__in=EVENT_FAILING))
    events = PaymentEvent.objects.filter(received_at__gte=since, received_at__lte=at).aggregate(
        found=found, received=Count("pk", filter=Q(source=EventSource.WEBHOOK)), processed=done, failed=failed
    )
    return {
        "after": figures_at(at=at),
        "meanwhile": {
            **events,
            "payments": Payment.objects.filter(paid_at__gte=since, received__gt=0).count(),
            "questions": OrderException.objects.filter(opened_at__gte=since).count(),
        },
    }


def lines(incident: Incident) -> Iterator[Line]:
    """The table of before and after in the reader's words: what, then, now ("–" for what is not known yet)."""
    before, after = incident.before, incident.report.get("after", {})
    for name, label in FIGURES.items():
        if name in before or name in after:
            yield str(label), _number(before.get(name)), _number(after.get(name))
    yield gettext("Revenue of the day"), _money(before.get("revenue")), _money(after.get("revenue"))
    now = {each["label"]: each["count"] for each in after.get("products", ())}
    for each in before.get("products", ()):
        yield gettext(each["label"]), _number(each["count"]), _number(now.get(each["label"]))


def meanwhile(incident: Incident) -> list[tuple[str, str]]:
    """What happened during the incident: words and numbers; nothing before it is closed."""
    told = incident.report.get("meanwhile", {})
    return [(str(label), _number(told[name])) for name, label in MEANWHILE.items() if name in told]


def _number(count: int | None) -> str:
    return "–" if count is None else str(count)


def _money(revenue: dict[str, int] | None) -> str:
    if revenue is None:
        return "–"
    return total_text((amount, currency) for currency, amount in revenue.items()) or "0"
