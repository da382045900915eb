"""Opens an order and its Checkout attempts; whatever an older attempt still says loses to a newer one."""

from collections.abc import Iterable
from datetime import datetime

from payments.ledger.record import requeue_naming
from payments.names import ORDER
from payments.orders.models import CheckoutAttempt, Order, OrderChange, Reference
from payments.statuses import OrderStatus


def open_order(order: Order, *, names: Iterable[str], expires_at: datetime | None, at: datetime) -> Order:
    """Store a new order. `names`: what else it is called (`registration:<id>`). Belongs in the seller's transaction."""
    order.save(force_insert=True)
    CheckoutAttempt.objects.create(order=order, number=1, created_at=at, expires_at=expires_at)
    give_names(order, [f"{ORDER}{order.public_id}", *names], at=at)
    return order


def give_names(order: Order, names: Iterable[str], *, at: datetime) -> None:
    """Let the order be found by these names, and by what waits for one of them: events that came before it was here.

    For whoever makes or imports something that events may name. Raises IntegrityError for another order's name.
    """
    wanted = dict.fromkeys(names)
    known = set(order.references.filter(name__in=wanted).values_list("name", flat=True))
    fresh = [name for name in wanted if name not in known]
    Reference.objects.bulk_create([Reference(name=name, order=order) for name in fresh])
    requeue_naming(fresh, at=at)


CHECKOUT_SOURCE = "checkout"


def open_attempt(order: Order, *, at: datetime) -> CheckoutAttempt:
    """The next attempt, saved; the order waits for payment again. The order is locked, unpaid and not closed."""
    newest = order.checkouts.order_by("number").last()
    number = max(newest.number, order.attempt_number) + 1 if newest else order.attempt_number
    if order.status != OrderStatus.PENDING:
        OrderChange.objects.create(
            order=order, field="status", before=order.status, after=OrderStatus.PENDING, occurred_at=at, learned_at=at,
            source=CHECKOUT_SOURCE,
        )  # fmt: skip
    # The start of a try has no moment: every fact of its attempt beats it, and it beats every fact of an older one.
    order.status = order.attempt_status = OrderStatus.PENDING
    order.attempt_number, order.attempt_at = number, None
    order.save(update_fields=["status", "attempt_status", "attempt_number", "attempt_at"])
    return CheckoutAttempt.objects.create(order=order, number=number, created_at=at)
