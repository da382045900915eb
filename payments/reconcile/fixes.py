"""What a run does about what it finds: resync, names given again, totals recomputed, and questions for staff."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from payments.apply.apply import recompute_order, save_exceptions
from payments.apply.batch import guarded
from payments.apply.references import Match
from payments.billing.models import Customer, Dispute, Payment, Refund, Subscription
from payments.orders.fold import recompute, refunded_of
from payments.orders.models import CheckoutAttempt, Order, OrderException, Reference
from payments.products import Question
from payments.reconcile.matches import Money
from payments.reconcile.models import Done, Finding, RunReport
from payments.reconcile.window import Subject
from payments.resync import Change, Resynced, ResyncOptions, resync_order, resync_subscription
from payments.statuses import ExceptionKind
from payments.stripe_api.gateway import GatewayUnavailable, KeyRefused

log = structlog.get_logger(__name__)
KNOWN, UNKNOWN = "known", "not known"
CHUNK_SIZE = 500
STRIPE_KEYS = ("pi_", "in_")
RECOMPUTED = ("status", "paid_at", "amount_received", "amount_refunded", "dispute_state")


def chunks_of(rows: QuerySet[Any]) -> Iterator[list[int]]:
    """The ids of the rows, each once, in order, a few hundred at a time."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True).distinct())
    for start in range(0, len(ids), CHUNK_SIZE):
        yield ids[start : start + CHUNK_SIZE]


class ReferencePass(Enum):
    """Which names are repaired, in three passes.

    OWNERS: wrong names of orders, sessions and subscriptions. WRONG: those of payments as well, once these are known
    to be right. ALL: lost ones as well, once every row is right.
    """

    OWNERS = auto()
    WRONG = auto()
    ALL = auto()


@dataclass(slots=True)
class ReferenceRepair:
    """Compares the names under which events find orders and subscriptions with our own rows, and gives them again."""

    report: RunReport
    dry_run: bool
    which: ReferencePass = ReferencePass.ALL

    def orders(self, ids: list[int]) -> None:
        """The names of these orders, of their sessions and of their payments."""
        rows = Order.objects.filter(pk__in=ids).values_list("pk", "public_id")
        wanted = [Reference(name=f"order:{public_id}", order_id=pk) for pk, public_id in rows]
        attempts = CheckoutAttempt.objects.filter(order_id__in=ids).exclude(session="")
        for session, order_id, number in attempts.values_list("session", "order_id", "number"):
            wanted.append(Reference(name=session, order_id=order_id, attempt=number))
        self._repair([*wanted, *self._of_payments(Payment.objects.filter(order_id__in=ids))])

    def subscriptions(self, ids: list[int]) -> None:
        """The names of these subscriptions, of who pays them and of their payments."""
        rows = Subscription.objects.filter(pk__in=ids)
        wanted = [Reference(name=row.stripe_id, subscription=row) for row in rows]
        customers = Customer.objects.filter(subscriptions__in=ids).distinct()
        wanted += [Reference(name=row.stripe_id, customer=row) for row in customers]
        self._repair([*wanted, *self._of_payments(Payment.objects.filter(subscription_id__in=ids))])

    def given(self, names: dict[str, int]) -> None:
        """Names that objects at Stripe carry for these orders."""
        self._repair([Reference(name=name, order_id=order_id) for name, order_id in sorted(names.items())])

    def _of_payments(self, payments: QuerySet[Payment]) -> Iterator[Reference]:
        for row in payments if self.which is not ReferencePass.OWNERS else ():
            owner = {"order_id": row.order_id, "subscription_id": row.subscription_id}
            if row.key.startswith(STRIPE_KEYS):
                yield Reference(name=row.key, **owner)
            if row.charge and row.charge != row.key:
                yield Reference(name=row.charge, payment=row.key, **owner)

    def _repair(self, wanted: list[Reference]) -> None:
        known = Reference.objects.in_bulk([each.name for each in wanted])
        for each in wanted:
            here = known.get(each.name)
            if here is None and self.which is not ReferencePass.ALL:
                continue
            if here is None or _owner(here) != _owner(each) or here.payment != each.payment:
                self._give(each, here)

    def _give(self, wanted: Reference, here: Reference | None) -> None:
        wanted.attempt = wanted.attempt or (here.attempt if here else None)
        if not self.dry_run:
            wanted.save(force_insert=here is None, force_update=here is not None)
        change = (f"name {wanted.name}", _owner_name(here), _owner_name(wanted))
        self.report.add_changes(_owner_name(wanted), [change], dry_run=self.dry_run)


def _owner(row: Reference) -> tuple[int | None, ...]:
    return row.order_id, row.subscription_id, row.customer_id


def _owner_name(row: Reference | None) -> str:
    if row is None:
        return ""
    if row.order_id is not None:
        return Order(pk=row.order_id).number
    owner = row.subscription or row.customer
    return owner.stripe_id if owner else ""


@dataclass(slots=True)
class Fixes:
    """What one run puts right, each order and subscription once.

    `asked`: what Stripe has been asked about already; `put_off`: what went wrong, to be tried once more in the end,
    when the rows that stood in its way may be right. Raises GatewayUnavailable, KeyRefused; other trouble costs only
    its own subject.
    """

    options: ResyncOptions
    report: RunReport
    clock: Callable[[], datetime]
    asked: set[Subject] = field(default_factory=set)
    put_off: dict[Subject, Collection[str]] = field(default_factory=dict)

    def resync(self, subject: Subject, also: Collection[str] = ()) -> None:
        """Ask Stripe about it, put right what differs, and ask staff about what Stripe does not know."""
        if subject in self.asked:
            return
        self.asked.add(subject)
        result = guarded(lambda: self._resync(subject, also))
        if isinstance(result, Resynced):
            self._report_changes(_name_of(subject), result.changes)
            self._ask_about_missing(subject, set(result.missing))
        else:
            self._put_off(subject, also, result)

    def resync_put_off(self) -> None:
        """Once more, what could not be done before."""
        for subject, also in list(self.put_off.items()):
            self.asked.discard(subject)
            self.resync(subject, also)

    def move(self, row: Money, known: Match) -> None:
        """Give the row to whom it belongs; both are asked about then."""
        before = Subject(row.order_id, row.subscription.stripe_id if row.subscription else "")
        if not self.options.dry_run:
            row.order_id, row.subscription_id = known.order_id, known.subscription_id
            row.save(update_fields=["order", "subscription"])
        owner = Order(pk=known.order_id).number if known.order_id else row.subscription
        self._report_changes(_name_of(before), [(f"owner of {row}", _name_of(before), str(owner))])
        self.resync(before)

    def recompute(self, order_id: int) -> None:
        """Ask Stripe about an order that is not what its own money says; then let that decide."""
        self.resync(Subject(order_id))
        left = stale_orders([order_id]).get(order_id, [])
        if left and not self.options.dry_run:
            recompute_order(order_id, source=str(self.options.by), at=self.clock())
        self._report_changes(_name_of(Subject(order_id)), left)

    def ask_about_lost(self, lost: Iterable[tuple[str, str]]) -> None:
        """Put objects at Stripe in front of staff that name an order which is not here."""
        for name, order in lost:
            self._ask_staff([Question(ExceptionKind.UNKNOWN_ORDER, name, None, True, f"order:{order}")])
            self.report.add(Finding(name, f"order:{order}", UNKNOWN, KNOWN, Done.ASKED))

    def _resync(self, subject: Subject, also: Collection[str]) -> Resynced:
        options = replace(self.options, at=self.clock())
        if subject.subscription:
            return resync_subscription(subject.subscription, options=options)
        return resync_order(Order.objects.get(pk=subject.order_id or 0), options=options, also=also)

    def _report_changes(self, name: str, changes: Iterable[Change]) -> None:
        self.report.add_changes(name, changes, dry_run=self.options.dry_run)

    def _put_off(self, subject: Subject, also: Collection[str], error: Exception) -> None:
        if isinstance(error, GatewayUnavailable | KeyRefused) or not connection.is_usable():
            raise error
        name, is_first = _name_of(subject), subject not in self.put_off
        if is_first:
            self.put_off[subject] = also
            log.info("reconcile.put_off", subject=name, error=str(error))
        else:
            log.error("reconcile.failed", subject=name, exc_info=error)
            self.report.add(Finding(name, "resync", f"{type(error).__name__}: {error}", "", Done.FAILED))

    def _ask_about_missing(self, subject: Subject, missing: set[str]) -> None:
        """Money that Stripe does not know is for staff; of a session without money the clean-up takes care."""
        name, is_gone = _name_of(subject), subject.subscription in missing
        money = {subject.subscription} if is_gone else _money_of(subject)
        order_id = subject.order_id or Subscription.objects.filter(
            stripe_id=subject.subscription
        ).values_list("order_id", flat=True).first()  # fmt: skip
        self._ask_staff(
            Question(ExceptionKind.NOT_AT_STRIPE, each, order_id, each in missing, name) for each in sorted(money)
        )
        for each in sorted(missing):
            self.report.missing.add(each)
            done = Done.ASKED if each in money else Done.LEFT
            self.report.add(Finding(name, each, KNOWN, UNKNOWN, done))

    def _ask_staff(self, questions: Iterable[Question]) -> None:
        if not self.options.dry_run:
            with transaction.atomic():
                save_exceptions(questions, at=self.clock())


def asked_about() -> list[str]:
    """The names of which it was asked before whether Stripe knows them."""
    asked = OrderException.objects.filter(kind=ExceptionKind.NOT_AT_STRIPE, is_open=True)
    return list(asked.values_list("subject", flat=True))


def stale_orders(order_ids: Collection[int]) -> dict[int, list[Change]]:
    """The orders that are not what their own money and tries say: what is stored, and what it should be."""
    rows = Order.objects.filter(pk__in=order_ids).prefetch_related("payments", "refunds", "disputes", "checkouts")
    found = {order.pk: _recomputed(order) for order in rows.order_by("pk")}
    return {key: changes for key, changes in found.items() if changes}


def stale_subscriptions(rows: QuerySet[Subscription]) -> Iterator[str]:
    """The subscriptions of which a payment is not refunded as its refunds say."""
    for ids in chunks_of(rows):
        for row in Subscription.objects.filter(pk__in=ids).prefetch_related("payments", "refunds").order_by("pk"):
            refunds = list(row.refunds.all())
            if any(payment.refunded != refunded_of(payment, refunds) for payment in row.payments.all()):
                yield row.stripe_id


def _recomputed(order: Order) -> list[Change]:
    payments = list(order.payments.all())
    before = _totals(order, payments)
    recompute(
        order,
        payments=payments,
        refunds=list(order.refunds.all()),
        disputes=list(order.disputes.all()),
        sessions={checkout.session for checkout in order.checkouts.all() if checkout.session},
    )
    after = _totals(order, payments)
    return [(name, _text(before[name]), _text(after[name])) for name in before if before[name] != after[name]]


def _totals(order: Order, payments: Collection[Payment]) -> dict[str, Any]:
    values = {name: getattr(order, name) for name in RECOMPUTED}
    values |= {f"refunded {payment.key}": payment.refunded for payment in payments}
    return values | {f"lost {payment.key}": payment.lost for payment in payments}


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _money_of(subject: Subject) -> set[str]:
    """The names of what must be at Stripe: money, and the subscription itself."""
    owned = Q(order=subject.order_id) if subject.order_id else Q(subscription__stripe_id=subject.subscription)
    payments = Payment.objects.filter(owned, received__gt=0).exclude(key__startswith="ch_")
    names = {*payments.values_list("key", flat=True)}
    for model in (Refund, Dispute):
        names |= {*model._default_manager.filter(owned).values_list("stripe_id", flat=True)}
    names |= {*Subscription.objects.filter(stripe_id=subject.subscription).values_list("stripe_id", flat=True)}
    return names


def _name_of(subject: Subject) -> str:
    return subject.subscription or Order(pk=subject.order_id).number
