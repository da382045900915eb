"""What a run does about what it finds: resync, each order and subscription once, and questions for staff."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog
from django.db import connection, transaction
from django.db.models import Q

from payments.apply.apply import recompute_order
from payments.apply.references import Match
from payments.billing.models import Dispute, Payment, Refund, Subscription
from payments.guarded import guarded
from payments.operations.reconcile.judge import Subject
from payments.operations.reconcile.page import Money
from payments.operations.reconcile.report import Done, Finding, Report
from payments.operations.reconcile.settled import unsettled
from payments.operations.resync import Resynced, Way, resync_order, resync_subscription
from payments.orders.exceptions import save_exceptions
from payments.orders.models import Order, OrderException
from payments.products import Question
from payments.statuses import ExceptionKind
from payments.stripe_api.gateway import GatewayUnavailable

log = structlog.get_logger(__name__)
KNOWN, UNKNOWN = "known", "not known"


@dataclass(slots=True)
class Healing:
    """`done`: what has been asked about already; `again`: what went wrong, to be tried once more in the end, when
    the rows that stood in its way may be right. Raises GatewayUnavailable; other trouble costs only its own subject.
    """

    way: Way
    report: Report
    clock: Callable[[], datetime]
    done: set[Subject] = field(default_factory=set)
    again: dict[Subject, Collection[str]] = field(default_factory=dict)

    def heal(self, subject: Subject, also: Collection[str] = ()) -> None:
        """Ask Stripe about it, put right what differs, and ask staff about what Stripe does not know."""
        if subject in self.done:
            return
        self.done.add(subject)
        name = self._name(subject)
        result = guarded(lambda: self._resync(subject, also))
        if isinstance(result, Resynced):
            self._tell(name, result)
            self._ask_about_missing(subject, name, set(result.missing))
        else:
            self._fail(subject, also, result)

    def heal_again(self) -> None:
        """Once more, what could not be done before."""
        for subject, also in list(self.again.items()):
            self.done.discard(subject)
            self.heal(subject, also)

    def move(self, row: Money, known: Match) -> None:
        """Give the row to whom it belongs; both are asked about then."""
        before = Subject(row.order_id, row.subscription.stripe_id if row.subscription else "")
        if not self.way.dry_run:
            row.order_id, row.subscription_id = known.order_id, known.subscription_id
            row.save(update_fields=["order", "subscription"])
        owner = Order(pk=known.order_id).number if known.order_id else row.subscription
        done = Done.TO_BE_PUT_RIGHT if self.way.dry_run else Done.PUT_RIGHT
        self.report.add(Finding(self._name(before), f"owner of {row}", self._name(before), str(owner), done))
        self.heal(before)

    def recompute(self, order_id: int) -> None:
        """Ask Stripe about an order that is not what its own money says; then let that decide."""
        self.heal(Subject(order_id))
        left = unsettled([order_id]).get(order_id, [])
        if left and not self.way.dry_run:
            recompute_order(order_id, source=str(self.way.by), at=self.clock())
        self._tell(self._name(Subject(order_id)), Resynced("", left))

    def heal_subscription(self, name: str) -> None:
        """The same for a subscription by its name."""
        self.heal(Subject(subscription=name))

    def ask_about_lost(self, lost: Iterable[tuple[str, str]]) -> None:
        """Put objects at Stripe in front of staff that name an order which is not here."""
        for name, order in lost:
            self._ask([Question(ExceptionKind.UNKNOWN_ORDER, name, None, True, f"order:{order}")])
            self.report.add(Finding(name, f"order:{order}", UNKNOWN, KNOWN, Done.ASKED))

    def _name(self, subject: Subject) -> str:
        return subject.subscription or Order(pk=subject.order_id).number

    def _resync(self, subject: Subject, also: Collection[str]) -> Resynced:
        way = replace(self.way, at=self.clock())
        if subject.subscription:
            return resync_subscription(subject.subscription, way=way)
        return resync_order(Order.objects.get(pk=subject.order_id or 0), way=way, also=also)

    def _tell(self, name: str, result: Resynced) -> None:
        done = Done.TO_BE_PUT_RIGHT if self.way.dry_run else Done.PUT_RIGHT
        for what, here, there in result.changes:
            self.report.add(Finding(name, what, here, there, done))

    def _fail(self, subject: Subject, also: Collection[str], error: Exception) -> None:
        if isinstance(error, GatewayUnavailable) or not connection.is_usable():
            raise error
        name, is_first = self._name(subject), subject not in self.again
        if is_first:
            self.again[subject] = also
            log.info("reconcile.put_off", subject=name, error=str(error))
        else:
            log.error("reconcile.failed", subject=name, exc_info=error)
            self.report.add(Finding(name, "resync", f"{type(error).__name__}: {error}", "", Done.FAILED))

    def _ask_about_missing(self, subject: Subject, name: str, missing: set[str]) -> None:
        """Money that Stripe does not know is for staff; of a session without money the clean-up takes care."""
        is_gone = subject.subscription in missing
        money = {subject.subscription} if is_gone else _money_of(subject)
        order_id = subject.order_id or Subscription.objects.filter(
            stripe_id=subject.subscription
        ).values_list("order_id", flat=True).first()  # fmt: skip
        self._ask(
            Question(ExceptionKind.NOT_AT_STRIPE, each, order_id, each in missing, name) for each in sorted(money)
        )
        for each in sorted(missing):
            self.report.missing.add(each)
            done = Done.ASKED if each in money else Done.LEFT
            self.report.add(Finding(name, each, KNOWN, UNKNOWN, done))

    def _ask(self, questions: Iterable[Question]) -> None:
        if not self.way.dry_run:
            with transaction.atomic():
                save_exceptions(questions, at=self.clock())


def _money_of(subject: Subject) -> set[str]:
    """The names of what must be at Stripe: money, and the subscription itself."""
    owned = Q(order=subject.order_id) if subject.order_id else Q(subscription__stripe_id=subject.subscription)
    payments = Payment.objects.filter(owned, received__gt=0).exclude(key__startswith="ch_")
    names = {*payments.values_list("key", flat=True)}
    for model in (Refund, Dispute):
        names |= {*model._default_manager.filter(owned).values_list("stripe_id", flat=True)}
    names |= {*Subscription.objects.filter(stripe_id=subject.subscription).values_list("stripe_id", flat=True)}
    return names


def asked_about() -> list[str]:
    """The names of which it was asked before whether Stripe knows them."""
    asked = OrderException.objects.filter(kind=ExceptionKind.NOT_AT_STRIPE, is_open=True)
    return list(asked.values_list("subject", flat=True))
