"""Closes an order that nobody will pay: the end goes the same road as Stripe's news, so everything follows it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import (
    Case,
    DateTimeField,
    Exists,
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

from payments.apply.apply import apply
from payments.apply.batch import FactSet
from payments.checkout.attempts import SESSION_LIFE
from payments.checkout.session_facts import find_session, has_failed
from payments.facts import ObjectRefs, OrderFact
from payments.orders.models import CheckoutAttempt, Order, OrderChange, OrderException
from payments.statuses import ABOUT_NO_MONEY, AWAITING_PAYMENT, OrderStatus

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WaitingOrder:
    """An order that waits for money and its newest attempt, as they were before Stripe was asked.

    `number` is the attempt that its end must name; `session` "" and `params`: Stripe was asked and did not answer.
    """

    order_id: int
    public_id: UUID
    status: str
    attempt_at: datetime | None
    number: int
    session: str = ""
    params: Mapping[str, Any] | None = field(default=None, repr=False)
    expires_at: datetime | None = None

    @classmethod
    def of(cls, order: Order) -> "WaitingOrder | None":
        """None where the order is not waiting, or has money."""
        has_money = order.amount_received or order.payments.filter(received__gt=0).exists()
        if order.status not in AWAITING_PAYMENT or has_money:
            return None
        newest = order.checkouts.order_by("number").last() or CheckoutAttempt(number=0)
        return cls(
            order.pk, order.public_id, order.status, order.attempt_at, max(order.attempt_number, newest.number),
            newest.session, newest.params, newest.expires_at,
        )  # fmt: skip

    @property
    def is_unanswered(self) -> bool:
        """Stripe was asked for a session and how that ended is unknown, or it was a refusal."""
        return self.params is not None and not self.session


def close_order(*, order_id: int, at: datetime, source: str, status: str = OrderStatus.EXPIRED) -> bool:
    """Close the order as EXPIRED or CANCELED if it waits and nobody can pay it any more. Returns whether it moved.

    Asks Stripe about the newest session, so not to be called inside a transaction; a session that is open is to be
    expired first. Safe to call again, and by many at once. `source`: by what, or by whom, for the history. Raises
    GatewayUnavailable, GatewayRefused.
    """
    waiting = find_waiting(order_id=order_id)
    if waiting is None or not _is_over(waiting, at=at):
        return False
    return close_waiting(waiting, at=at, source=source, status=status)


@transaction.atomic(durable=True)
def find_waiting(*, order_id: int) -> WaitingOrder | None:
    """The order as it stands now; None where it does not wait for money."""
    return WaitingOrder.of(Order.objects.get(pk=order_id))


@transaction.atomic
def close_waiting(waiting: WaitingOrder, *, at: datetime, source: str, status: str = OrderStatus.EXPIRED) -> bool:
    """Close the order unless it has changed since it was looked at. Returns whether it moved."""
    order = Order.objects.select_for_update(no_key=True).get(pk=waiting.order_id)
    if WaitingOrder.of(order) != waiting:
        log.info("order.not_closed", order=order.pk, status=order.status, source=source)
        return False
    refs = ObjectRefs(order=str(waiting.public_id), attempt=waiting.number)
    fact_set = FactSet([OrderFact(refs, status, at)], source=source, occurred_at=at)
    applied = apply([fact_set], at=at).applied[0]
    if applied.error:
        raise applied.error
    return any(name == "status" for name, _before, _after in applied.folded.changes)


def _is_over(waiting: WaitingOrder, *, at: datetime) -> bool:
    """Whether nobody can pay in the newest attempt, and no money can be on its way."""
    if waiting.is_unanswered:
        return waiting.expires_at is None or waiting.expires_at <= at
    session = find_session(waiting.session) if waiting.session else None
    return session is None or session.status == "expired" or has_failed(session)


# So long one may start again after a failure that left no open session.
HOLD_AFTER_FAILURE = timedelta(hours=24)
# Starting again and again keeps a place no longer than this in all; time under way with a bank does not count.
MAX_HOLD = timedelta(hours=24)


def overdue(*, at: datetime) -> QuerySet[Order]:
    """The orders that wait for money although their time is over; annotated with `due_at`, the oldest first.

    An order with money, or with an open question about money, is for staff to decide; one that is under way waits.
    """
    asked = OrderException.objects.filter(order=OuterRef("pk"), is_open=True).exclude(kind__in=ABOUT_NO_MONEY)
    waiting = Order.objects.filter(~Exists(asked), status__in=AWAITING_PAYMENT, amount_received=0)
    waiting = waiting.exclude(payments__received__gt=0)  # in another currency than was asked for
    return _with_due_at(waiting).filter(due_at__lte=at).order_by("due_at", "pk")


def due_dates(order_ids: Collection[int]) -> dict[int, datetime]:
    """Until when each of these orders waits for money, by its id: what is bought is held as long."""
    return {order.pk: order.due_at for order in _with_due_at(Order.objects.filter(pk__in=order_ids))}


def _with_due_at(orders: QuerySet[Order]) -> "QuerySet[Any]":
    # Of an attempt that Stripe refused or never answered, the time that it was meant to have counts.
    newest = CheckoutAttempt.objects.filter(order=OuterRef("pk")).order_by("-number")
    newest = newest.annotate(ends=Coalesce(_moment("params__expires_at"), "expires_at"))
    known = orders.annotate(
        newest_number=Subquery(newest.values("number")[:1]),
        newest_session=Subquery(newest.values("session")[:1]),
        ends_at=Coalesce(Subquery(newest.values("ends")[:1]), _later("created_at", SESSION_LIFE)),
        under_way_until=Subquery(_ends_of_processing().values("occurred_at")[:1]),
    )
    return known.annotate(due_at=_due_at())


def _due_at() -> Case:
    """A failure in an open session leaves the session's own time; without one, a time of its own begins."""
    leaves_no_session = Q(attempt_at__gte=F("ends_at")) | ~Q(newest_session__gt="")
    return Case(
        When(Q(status=OrderStatus.FAILED) & leaves_no_session, then=_later("attempt_at", HOLD_AFTER_FAILURE)),
        # The first attempt may have been given longer on purpose, to somebody who was offered the place.
        When(newest_number__gt=1, then=Least("ends_at", _end_of_all())),
        default=F("ends_at"),
        output_field=DateTimeField(),
    )


def _end_of_all() -> Coalesce:
    return Coalesce(_later("under_way_until", MAX_HOLD), _later("created_at", MAX_HOLD))


def _ends_of_processing() -> QuerySet[OrderChange]:
    """When a delayed payment was last decided: until then nobody could start again."""
    changes = OrderChange.objects.filter(order=OuterRef("pk"), field="status", before=OrderStatus.PROCESSING)
    return changes.order_by("-occurred_at")


def _moment(path: str) -> Func:
    """A Unix time in a JSON column."""
    return Func(Cast(KT(path), FloatField()), function="to_timestamp", output_field=DateTimeField())


def _later(name: str, span: timedelta) -> ExpressionWrapper:
    return ExpressionWrapper(F(name) + span, output_field=DateTimeField())
