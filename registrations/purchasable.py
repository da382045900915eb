"""A registration is something that orders sell: here it follows what becomes of its order."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import structlog

from payments.orders.models import Order
from payments.products import FollowResult, Product, ProductChange, Question, register
from payments.sql import update_rows
from payments.statuses import CLOSED_PHASE, STATUS_ORDER, DisputeState, ExceptionKind, OrderStatus
from registrations.links import page_path
from registrations.messages import message_for
from registrations.models import Registration, RegistrationStatus
from registrations.places import find_seatable, find_unseated, move_places, paid_without_place, refund_late_money

log = structlog.get_logger(__name__)
KIND = "registration"
FOLLOWED_FIELDS = ("status", "holds_place", "waits_since", "times_waited")


def status_for(order: Order) -> str:
    """What staff see: a dispute that is open or lost shows as a failure (mission B6)."""
    return RegistrationStatus.FAILED if order.dispute_state != DisputeState.NONE else order.status


def keeps_no_place(order: Order) -> bool:
    """Nothing came, all of it went back, or a lost dispute took it."""
    if order.status == OrderStatus.PAID:
        return order.dispute_state == DisputeState.LOST
    return order.status == OrderStatus.REFUNDED or STATUS_ORDER[order.status][0] == CLOSED_PHASE


class RegistrationProduct(Product):
    """Follows many orders at once: places that become free go to who paid first, in the same breath."""

    kind = KIND

    def follow_orders(self, orders: Sequence[Order], *, at: datetime) -> FollowResult:
        by_id = {order.pk: order for order in orders}
        locked = Registration.objects.filter(order_id__in=by_id).order_by("pk").select_for_update(no_key=True)
        rows = list(locked)
        before = {row.pk: _state(row) for row in rows}
        for row in rows:
            row.status = _status_of(row, by_id[row.order_id])
        unseated = find_unseated(rows, by_id)
        promoted = _move_places(rows, by_id, seeking=find_seatable(unseated))
        late = [row for row in unseated if not row.holds_place and before[row.pk]["waits_since"] is None]
        refunds = refund_late_money(late, by_id, at=at)
        for row in rows:
            row.times_waited += row.waits_since is not None and before[row.pk]["waits_since"] is None
        _write([*rows, *promoted], before)
        outcome = _outcome(rows, by_id, promoted, before)
        outcome.effects += refunds
        return outcome

    def hold(self, order: Order, *, until: datetime) -> None:
        # An offer ends when it was said to end: paying neither shortens nor prolongs it.
        own = Registration.objects.filter(order=order, holds_place=True, waited__isnull=True)
        own.update(held_until=until)

    def language_of(self, order: Order) -> str:
        return Registration.objects.filter(order=order).values_list("language", flat=True).first() or ""

    def page_of(self, order: Order) -> str:
        row = Registration.objects.filter(order=order).first()
        return page_path(row) if row else ""


def _status_of(row: Registration, order: Order) -> str:
    return RegistrationStatus.CANCELED if row.given_up_at else status_for(order)


def _is_leaving(row: Registration, order: Order) -> bool:
    return row.given_up_at is not None or keeps_no_place(order)


def _move_places(
    rows: Sequence[Registration], orders: dict[int, Order], *, seeking: Sequence[Registration]
) -> list[Registration]:
    """Who must leave, who asks for a place; nobody else's place is touched. Returns who had waited and is seated."""
    leaving = [row for row in rows if row.holds_place and _is_leaving(row, orders[row.order_id])]
    for row in rows:
        row.waits_since = None
    for row in seeking:
        row.waits_since = orders[row.order_id].paid_at
    return move_places(leaving=leaving, coming=seeking) if leaving or seeking else []


def _write(rows: Iterable[Registration], before: dict[int, dict[str, Any]]) -> None:
    """Two statements at most: who leaves goes first, so that the same person may take the place with another order."""
    moved = [row for row in rows if before.get(row.pk) != _state(row)]
    for holds in (False, True):
        values = [{"id": row.pk, **_state(row)} for row in moved if row.holds_place is holds]
        update_rows(Registration, values)
    for row in moved:
        registration, status, place = str(row.public_id), row.status, row.holds_place
        log.info("registration.changed", registration=registration, order=row.order_id, status=status, place=place)


def _state(row: Registration) -> dict[str, Any]:
    return {name: getattr(row, name) for name in FOLLOWED_FIELDS}


def _outcome(
    rows: Sequence[Registration],
    orders: dict[int, Order],
    promoted: Sequence[Registration],
    before: dict[int, dict[str, Any]],
) -> FollowResult:
    outcome = FollowResult()
    others = {row.order_id for row in promoted} - orders.keys()
    all_orders = {**Order.objects.in_bulk(others), **orders}
    for row in [*rows, *promoted]:
        order = all_orders[row.order_id]
        if message := message_for(row, order):
            outcome.effects.append(message)
        outcome.questions.append(_place_question(row, order))
        outcome.changes += _place_change(row, held=before.get(row.pk, {"holds_place": False})["holds_place"])
    return outcome


def _place_question(row: Registration, order: Order) -> Question:
    detail = f"{row.name} <{row.email}>"
    return Question(
        ExceptionKind.NO_PLACE, f"order:{order.public_id}", order.pk, paid_without_place(row, order), detail
    )


def _place_change(row: Registration, *, held: bool) -> list[ProductChange]:
    if held == row.holds_place:
        return []
    labels = {True: "held", False: "free"}
    return [ProductChange(row.order_id, "place", labels[held], labels[row.holds_place])]


register(RegistrationProduct())
