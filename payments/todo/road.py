"""What needs a person on the road of events: types that are held back, subscriptions that stay in doubt."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from payments.billing.models import Subscription
from payments.ledger.models import ALL_TYPES, UNKNOWN_ORDER, HeldType, PaymentEvent
from payments.processing.failure_groups import failure_groups, latest_failures
from payments.sql import capped_counts
from payments.statuses import EventStatus
from payments.todo.sources import Page, TodoItem, needs_a_person

# The worker looks every ten minutes at what is in doubt; what stays so longer needs a person.
DOUBTFUL_FOR = timedelta(hours=1)
HELD_COUNTED = 10_000


def held(at: datetime) -> QuerySet[HeldType]:
    """Every type that is held back, the oldest hold first."""
    return HeldType.objects.order_by("held_at")


@needs_a_person(
    "held_type", title=gettext_lazy("Event types held back"), rows=held,
    tells_of=("payments.heldtype", "payments.paymentevent"), listed_at=("admin:payments_heldtype_changelist", ""),
)  # fmt: skip
def held_types(rows: Sequence[HeldType], *, at: datetime) -> Iterator[TodoItem]:
    waiting = [_waiting(row) for row in rows]
    for row, count in zip(rows, capped_counts(waiting, most=HELD_COUNTED), strict=True):
        sentence = ngettext(
            "Events of type %(type)s are held back, %(count)d is waiting: %(reason)s",
            "Events of type %(type)s are held back, %(count)d are waiting: %(reason)s", count,
        )  # fmt: skip
        if row.type == ALL_TYPES:
            sentence = ngettext(
                "All events are held back, %(count)d is waiting: %(reason)s",
                "All events are held back, %(count)d are waiting: %(reason)s", count,
            )  # fmt: skip
        sentence %= {"type": row.type, "count": count, "reason": row.reason}
        yield TodoItem(sentence, row.held_at, row, acts=("release",))


def _waiting(row: HeldType) -> QuerySet[PaymentEvent]:
    held = PaymentEvent.objects.filter(status=EventStatus.HELD)
    return held if row.type == ALL_TYPES else held.filter(type=row.type)


def failing(at: datetime) -> QuerySet[PaymentEvent]:
    """One event of each failure group; what names an order in vain is asked about by itself."""
    return latest_failures().exclude(error_kind=UNKNOWN_ORDER).defer("payload").order_by("occurred_at", "pk")


@needs_a_person(
    "failure_group", title=gettext_lazy("Events that fail"), rows=failing, tells_of=("payments.paymentevent",),
    listed_at=("admin:payments_paymentevent_changelist", ""),
)  # fmt: skip
def failing_events(rows: Sequence[PaymentEvent], *, at: datetime) -> Iterator[TodoItem]:
    groups = {group.key: group for group in failure_groups()}
    for group, row in ((groups.get(row.error_group), row) for row in rows):
        if group is None:
            continue
        sentence = ngettext(
            "%(count)s event of type %(type)s fails: %(error)s", "%(count)s events of type %(type)s fail: %(error)s",
            group.count,
        )  # fmt: skip
        count = f"{group.count}+" if group.has_more else group.count
        sentence %= {"count": count, "type": group.type, "error": group.error}
        page = Page(
            reverse("admin:payments_failures", args=[group.key]), gettext_lazy("Find out why…"),
            "payments.view_paymentevent",
        )  # fmt: skip
        yield TodoItem(sentence, group.first_at, row, acts=(page,))


def doubtful(at: datetime) -> QuerySet[Subscription]:
    """Subscriptions of which we know that we do not know how they stand, for longer than it takes to ask Stripe."""
    rows = Subscription.objects.filter(
        Q(stripe_updated_at__lte=at - DOUBTFUL_FOR) | Q(stripe_updated_at=None), needs_resync=True
    )
    return rows.select_related("plan").order_by("id")


@needs_a_person(
    "doubtful_subscription", title=gettext_lazy("Subscriptions in doubt"), rows=doubtful,
    tells_of=("payments.subscription",),
    listed_at=("admin:payments_subscription_changelist", "needs_resync__exact=1"),
)  # fmt: skip
def doubtful_subscriptions(rows: Sequence[Subscription], *, at: datetime) -> Iterator[TodoItem]:
    for row in rows:
        values = {"what": row.plan or row.stripe_id}
        known = _("Stripe has not told how the subscription to %(what)s stands — compare it with Stripe")
        since = row.stripe_updated_at or row.started_at or at
        yield TodoItem(
            known % values, since, row, row.amount, row.currency, acts=("resync_subscription_action",),
        )  # fmt: skip
