"""All that a batch may change, read under lock in a few statements and written back in a few."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from payments.billing.models import Dispute, Payment, Refund
from payments.orders.fold import settle
from payments.orders.models import CheckoutAttempt, Order
from payments.sql import update_rows

ORDER_STATE = (
    "status", "paid_at", "amount_received", "amount_refunded", "dispute_state", "tried_status", "tried_attempt",
    "tried_at", "failed_charge",
    "failed_attempt",
    "failed_at", "failure_code", "failure_message", "settled_at",
)  # fmt: skip
ORDER_KEY = ("status", "tried_status", "tried_attempt", "tried_at")
PAYMENT_STATE = ("session", "charge", "currency", "received", "charge_refunded", "refunded", "paid_at")
REFUND_STATE = ("amount", "status", "status_at", "failure_reason")
DISPUTE_STATE = ("amount", "status", "phase", "status_at", "due_by")
CHECKOUT_STATE = ("session",)


def values_of(row: models.Model, columns: Iterable[str]) -> dict[str, Any]:
    """The row's values of these columns, by name."""
    return {column: getattr(row, column) for column in columns}


@dataclass(slots=True)
class OrderState:
    """One locked order with its money; `before` is how the row was read."""

    order: Order
    checkouts: dict[int, CheckoutAttempt] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)

    def sessions(self) -> set[str]:
        """The Checkout sessions that are this order's own."""
        return {checkout.session for checkout in self.checkouts.values() if checkout.session}

    def settle(self) -> None:
        """Work out what all that we know means."""
        settle(
            self.order,
            payments=self.payments.values(),
            refunds=self.refunds.values(),
            disputes=self.disputes.values(),
            sessions=self.sessions(),
        )

    def has_moved(self) -> bool:
        """Whether anything about the order row differs from what was read."""
        return values_of(self.order, ORDER_STATE) != self.before


class States(dict[int, OrderState]):
    """The locked orders of a batch by id."""

    @classmethod
    def lock(cls, order_ids: Collection[int]) -> "States":
        """Lock the orders, sorted by id, and read what belongs to them."""
        orders = Order.objects.filter(pk__in=order_ids).order_by("pk").select_for_update(no_key=True)
        states = cls({order.pk: OrderState(order, before=values_of(order, ORDER_STATE)) for order in orders})
        for model, place, key in _PARTS:
            for row in model._default_manager.filter(order_id__in=states):
                getattr(states[row.order_id], place)[getattr(row, key)] = row  # type: ignore[attr-defined]
        return states

    def snapshot(self) -> "Written":
        """How the rows are now: what is written later is the difference."""
        return Written({id(row): values_of(row, columns) for row, columns in self._rows()})

    def _rows(self) -> Iterable[tuple[models.Model, tuple[str, ...]]]:
        for state in self.values():
            for model, place, _ in _PARTS:
                for row in getattr(state, place).values():
                    yield row, _COLUMNS[model]

    def changed(self, written: "Written") -> set[int]:
        """The orders of which anything, be it a payment's name, differs from what was read."""
        parts = {row.order_id for row, columns in self._rows() if written.differs(row, columns)}  # type: ignore[attr-defined]
        return parts | {key for key, state in self.items() if state.has_moved()}

    def save(self, written: "Written") -> None:
        """Write what changed since `written`: one statement per table for new rows, one for changed ones."""
        moved = [state for state in self.values() if state.has_moved()]
        update_rows(Order, [_order_row(state) for state in moved], guards=ORDER_KEY)
        fresh: dict[type[models.Model], list[models.Model]] = defaultdict(list)
        changed: dict[type[models.Model], list[dict[str, Any]]] = defaultdict(list)
        for row, columns in self._rows():
            if row.pk is None:
                fresh[type(row)].append(row)
            elif written.differs(row, columns):
                changed[type(row)].append({"id": row.pk, **values_of(row, columns)})
        for model, rows in fresh.items():
            model._default_manager.bulk_create(rows)
        for model, values in changed.items():
            update_rows(model, values)


@dataclass(slots=True)
class Written:
    """The values of rows as they stand in the database."""

    values: dict[int, dict[str, Any]]

    def differs(self, row: models.Model, columns: tuple[str, ...]) -> bool:
        """Whether the row has other values than the database."""
        return self.values.get(id(row)) != values_of(row, columns)


def _order_row(state: OrderState) -> dict[str, Any]:
    old_key = {f"was_{column}": state.before[column] for column in ORDER_KEY}
    return {"id": state.order.pk, **values_of(state.order, ORDER_STATE), **old_key}


_PARTS: tuple[tuple[type[models.Model], str, str], ...] = (
    (CheckoutAttempt, "checkouts", "number"),
    (Payment, "payments", "key"),
    (Refund, "refunds", "stripe_id"),
    (Dispute, "disputes", "stripe_id"),
)
_COLUMNS: dict[type[models.Model], tuple[str, ...]] = {
    CheckoutAttempt: CHECKOUT_STATE,
    Payment: PAYMENT_STATE,
    Refund: REFUND_STATE,
    Dispute: DISPUTE_STATE,
}
