"""The names under which events find orders and subscriptions, as our own rows have them: lost ones are given again."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from django.db.models import QuerySet

from payments.billing.models import Customer, Payment, Subscription
from payments.operations.reconcile.report import Done, Finding, Report
from payments.orders.models import CheckoutAttempt, Order, Reference

OWNERS = ("order_id", "subscription_id", "customer_id")
STRIPE_KEYS = ("pi_", "in_")


class Which(Enum):
    """OWNERS: wrong names of orders, sessions and subscriptions. WRONG: those of payments as well, once these are
    known to be right. ALL: lost ones as well, once every row is right.
    """

    OWNERS = auto()
    WRONG = auto()
    ALL = auto()


@dataclass(slots=True)
class Mending:
    """Compares names with rows, and gives them again."""

    report: Report
    dry_run: bool
    which: Which = Which.ALL

    def orders(self, ids: list[int]) -> None:
        """The names of these orders, of their sessions and of their payments."""
        rows = Order.objects.filter(pk__in=ids).values_list("pk", "public_id")
        wanted = [Reference(name=f"order:{public_id}", order_id=pk) for pk, public_id in rows]
        attempts = CheckoutAttempt.objects.filter(order_id__in=ids).exclude(session="")
        for session, order_id, number in attempts.values_list("session", "order_id", "number"):
            wanted.append(Reference(name=session, order_id=order_id, attempt=number))
        self._mend([*wanted, *self._of_payments(Payment.objects.filter(order_id__in=ids))])

    def subscriptions(self, ids: list[int]) -> None:
        """The names of these subscriptions, of who pays them and of their payments."""
        rows = Subscription.objects.filter(pk__in=ids)
        wanted = [Reference(name=row.stripe_id, subscription=row) for row in rows]
        customers = Customer.objects.filter(subscriptions__in=ids).distinct()
        wanted += [Reference(name=row.stripe_id, customer=row) for row in customers]
        self._mend([*wanted, *self._of_payments(Payment.objects.filter(subscription_id__in=ids))])

    def given(self, names: dict[str, int]) -> None:
        """Names that objects at Stripe carry for these orders."""
        self._mend([Reference(name=name, order_id=order_id) for name, order_id in sorted(names.items())])

    def _of_payments(self, payments: QuerySet[Payment]) -> Iterator[Reference]:
        for row in payments if self.which is not Which.OWNERS else ():
            owner = {"order_id": row.order_id, "subscription_id": row.subscription_id}
            if row.key.startswith(STRIPE_KEYS):
                yield Reference(name=row.key, **owner)
            if row.charge and row.charge != row.key:
                yield Reference(name=row.charge, payment=row.key, **owner)

    def _mend(self, wanted: list[Reference]) -> None:
        known = Reference.objects.in_bulk([each.name for each in wanted])
        for each in wanted:
            here = known.get(each.name)
            if here is None and self.which is not Which.ALL:
                continue
            if here is None or _owner(here) != _owner(each) or here.payment != each.payment:
                self._give(each, here)

    def _give(self, wanted: Reference, here: Reference | None) -> None:
        wanted.attempt = wanted.attempt or (here.attempt if here else None)
        if not self.dry_run:
            wanted.save(force_insert=here is None, force_update=here is not None)
        done = Done.TO_BE_PUT_RIGHT if self.dry_run else Done.PUT_RIGHT
        self.report.add(Finding(_called(wanted), f"name {wanted.name}", _called(here), _called(wanted), done))


def _owner(row: Reference) -> tuple[int | None, ...]:
    return row.order_id, row.subscription_id, row.customer_id


def _called(row: Reference | None) -> str:
    if row is None:
        return ""
    if row.order_id is not None:
        return Order(pk=row.order_id).number
    owner = row.subscription or row.customer
    return owner.stripe_id if owner else ""
