"""What staff did about a registration, written into the history of its order: what, why and who."""

from collections.abc import Iterable
from datetime import datetime

from payments.orders.models import OrderChange

LONGEST = 255


def note_act(what: str, *, order_ids: Iterable[int], reason: str, by: object, at: datetime) -> None:
    """One row for each order, in the caller's transaction. `what`: the history's word; `by`: named by its text."""
    OrderChange.objects.bulk_create(
        OrderChange(
            order_id=order_id, field=what, after=reason[:LONGEST], occurred_at=at, learned_at=at,
            source=str(by)[:LONGEST],
        )
        for order_id in order_ids
    )  # fmt: skip
