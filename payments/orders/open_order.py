"""Opens an order: the row, the first Checkout attempt, and the names under which events will find it."""

from collections.abc import Iterable
from datetime import datetime

from payments.orders.models import CheckoutAttempt, Order
from payments.orders.references import Reference


def open_order(order: Order, *, names: Iterable[str], expires_at: datetime | None, at: datetime) -> Order:
    """Store a new order. `names`: what else it is called (`registration:<id>`). Belongs in the seller's transaction."""
    order.save(force_insert=True)
    CheckoutAttempt.objects.create(order=order, number=1, created_at=at, expires_at=expires_at)
    known_as = [f"order:{order.public_id}", *names]
    Reference.objects.bulk_create([Reference(name=name, order=order) for name in known_as])
    return order
