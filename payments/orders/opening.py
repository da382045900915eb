"""Opens an order and its Checkout attempts; whatever an older attempt still says loses to a newer one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from payments.ledger.record import requeue_naming
from payments.names import ORDER
from payments.orders.models import CheckoutAttempt, Order, OrderChange, Reference
from payments.statuses import OrderStatus


@dataclass(frozen=True, slots=True)
class Opening:
    """A new order, not saved yet. `names`: what else it is called (`registration:<id>`).

    `session`: the Checkout session in which it is or was paid, where another system has opened one already.
    """

    order: Order
    names: Sequence[str]
    expires_at: datetime | None
    session: str = ""


def open_order(order: Order, *, names: Iterable[str], expires_at: datetime | None, at: datetime) -> Order:
    """Store a new order. `names`: what else it is called (`registration:<id>`). Belongs in the seller's transaction."""
    open_orders([Opening(order, [*names], expires_at)], at=at)
    return order


def open_orders(opened: Sequence[Opening], *, at: datetime) -> None:
    """Store new orders, many at once; what waits for one of their names is queued again.

    Raises IntegrityError where a name is another order's. Belongs in the seller's transaction.
    """
    Order.objects.bulk_create([each.order for each in opened])
    CheckoutAttempt.objects.bulk_create(
        CheckoutAttempt(
            order=each.order,
            number=1,
            created_at=each.order.created_at,
            expires_at=each.expires_at,
            session=each.session,
        )
        for each in opened
    )
    references = [
        Reference(name=name, order=each.order, attempt=1 if name == each.session else None)
        for each in opened
        for name in dict.fromkeys(
            [f"{ORDER}{each.order.public_id}", *each.names, *filter(None, [each.session])]
        )
    ]  # fmt: skip
    Reference.objects.bulk_create(references)
    requeue_naming([each.name for each in references], at=at)


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
