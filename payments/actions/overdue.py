"""Which orders hold something beyond its time: worked out from their Checkout attempts alone, whatever they sell."""

from datetime import datetime, timedelta

from django.db.models import (
    Case,
    DateTimeField,
    ExpressionWrapper,
    F,
    FloatField,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Least

from payments.actions.attempts import SESSION_LIFE
from payments.actions.closing import WAITING
from payments.orders.models import CheckoutAttempt, Order, OrderChange
from payments.statuses import OrderStatus

# So long one may start again after a failure that left no open session.
AFTER_FAILURE = timedelta(hours=24)
# Starting again and again keeps a place no longer than this in all; time under way with a bank does not count.
LONGEST_HOLD = timedelta(hours=24)


def overdue(*, at: datetime) -> QuerySet[Order]:
    """The orders that wait for money although their time is over; annotated with `due_at`, the oldest first.

    An order with money, or with an open question about money, is for staff to decide; one that is under way waits.
    """
    # Of an attempt that Stripe refused or never answered, the time that it was meant to have counts.
    newest = CheckoutAttempt.objects.filter(order=OuterRef("pk")).order_by("-number")
    newest = newest.annotate(ends=Coalesce(_moment("params__expires_at"), "expires_at"))
    waiting = Order.objects.filter(status__in=WAITING, amount_received=0).exclude(exceptions__is_open=True)
    known = waiting.annotate(
        newest_number=Subquery(newest.values("number")[:1]),
        newest_session=Subquery(newest.values("session")[:1]),
        ends_at=Coalesce(Subquery(newest.values("ends")[:1]), _later("created_at", SESSION_LIFE)),
        under_way_until=Subquery(_ends_of_processing().values("occurred_at")[:1]),
    )
    return known.annotate(due_at=_due_at()).filter(due_at__lte=at).order_by("due_at", "pk")


def _due_at() -> Case:
    """A failure in an open session leaves the session's own time; without one, a time of its own begins."""
    leaves_no_session = Q(tried_at__gte=F("ends_at")) | ~Q(newest_session__gt="")
    return Case(
        When(Q(status=OrderStatus.FAILED) & leaves_no_session, then=_later("tried_at", AFTER_FAILURE)),
        # The first attempt may have been given longer on purpose, to somebody who was offered the place.
        When(newest_number__gt=1, then=Least("ends_at", _end_of_all())),
        default=F("ends_at"),
        output_field=DateTimeField(),
    )


def _end_of_all() -> Coalesce:
    return Coalesce(_later("under_way_until", LONGEST_HOLD), _later("created_at", LONGEST_HOLD))


def _ends_of_processing() -> QuerySet[OrderChange]:
    """When a delayed payment was last decided: until then nobody could start again."""
    changes = OrderChange.objects.filter(order=OuterRef("pk"), field="status", before=OrderStatus.PROCESSING)
    return changes.order_by("-occurred_at")


def _moment(path: str) -> Func:
    """A Unix time in a JSON column."""
    return Func(Cast(KT(path), FloatField()), function="to_timestamp", output_field=DateTimeField())


def _later(name: str, span: timedelta) -> ExpressionWrapper:
    return ExpressionWrapper(F(name) + span, output_field=DateTimeField())
