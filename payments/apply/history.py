"""What the history of an order or a subscription keeps of a batch."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import structlog

from payments.apply.telling import Applied
from payments.orders.models import OrderChange
from payments.orders.purchasables import ProductChange

log = structlog.get_logger(__name__)


def keep_history(
    applied: Iterable[Applied], products: Iterable[ProductChange], *, at: datetime, source: str = "product"
) -> None:
    """One row for each change; a fact that moved nothing stands in the event's own history only."""
    rows = [row for each in applied for row in _rows(each, at=at)]
    rows += [
        OrderChange(
            order_id=change.order_id, subscription_id=change.subscription_id, field=change.field, before=change.before,
            after=change.after, occurred_at=at, learned_at=at, source=source,
        )
        for change in products
    ]  # fmt: skip
    OrderChange.objects.bulk_create(rows)


def _rows(each: Applied, *, at: datetime) -> Iterator[OrderChange]:
    for target, taken in each.parts:
        known = target.known
        if known.customer_id is not None:
            # Who somebody is and where they live is theirs, not part of what they bought.
            continue
        for name, before, after in taken.changes:
            if name != "superseded":
                yield OrderChange(
                    order_id=known.order_id, subscription_id=known.subscription_id, field=name[:40], before=before,
                    after=after, occurred_at=each.telling.occurred_at, learned_at=at, event_id=each.telling.event_id,
                    source=each.telling.source,
                )  # fmt: skip


def log_changes(each: Applied) -> None:
    """One line for each change, to be found by order, subscription, event and request."""
    for target, taken in each.parts:
        known = target.known
        if known.customer_id is not None:
            continue
        kind = "order" if known.order_id is not None else "subscription"
        for name, before, after in taken.changes:
            log.info(
                f"{kind}.changed", **{kind: known.order_id or known.subscription_id}, what=name, before=before,
                after=after, stripe_event=each.telling.source, request_id=each.telling.request_id,
            )  # fmt: skip
