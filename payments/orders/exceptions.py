"""Which questions an order's money raises, and keeping them: opened, closed when their cause is gone, never deleted."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.utils.translation import gettext_noop

from payments.billing.models import Payment
from payments.orders.fold import fits, paying
from payments.orders.models import Order, OrderException
from payments.products import Question
from payments.sql import update_rows
from payments.statuses import ExceptionKind

CAUSE_GONE = gettext_noop("The cause is gone.")


def questions_of(order: Order, *, payments: Collection[Payment], sessions: Collection[str]) -> Iterable[Question]:
    """For each payment the three things that can be wrong with it, open or not: money that went back asks nothing."""
    pays = paying(order, payments, sessions)
    for payment in payments:
        has_money = payment.left > 0
        is_foreign = bool(payment.session) and payment.session not in sessions
        if payment.session:
            is_unknown = has_money and is_foreign
            yield Question(ExceptionKind.UNKNOWN_SESSION, payment.session, order.pk, is_unknown, payment.key)
        differs = has_money and not is_foreign and not fits(order, payment)
        detail = f"{payment.received} {payment.currency}, not {order.amount} {order.currency}"
        yield Question(ExceptionKind.AMOUNT_MISMATCH, payment.key, order.pk, differs, detail)
        is_double = has_money and _comes_second(payment, pays)
        yield Question(ExceptionKind.SECOND_PAYMENT, payment.key, order.pk, is_double, pays[0].key if pays else "")


def _comes_second(payment: Payment, pays: Sequence[Payment]) -> bool:
    """Whether an earlier payment of the order, whose money is still here, paid it already."""
    return payment in pays and any(earlier.left for earlier in pays[: pays.index(payment)])


def save_exceptions(questions: Iterable[Question], *, at: datetime) -> list[OrderException]:
    """Open what is new, turn what changed; what staff have settled stays settled. Returns the rows that changed."""
    wanted = {(str(question.kind), question.subject): question for question in questions}
    if not wanted:
        return []
    subjects = [subject for _, subject in wanted]
    rows = OrderException.objects.filter(subject__in=subjects)
    known = {(row.kind, row.subject): row for row in rows if (row.kind, row.subject) in wanted}
    fresh = [_new(question, at=at) for key, question in wanted.items() if question.is_open and key not in known]
    moved = [row for key, row in known.items() if row.closed_by_id is None and row.is_open != wanted[key].is_open]
    for row in moved:
        _turn(row, at=at)
    OrderException.objects.bulk_create(sorted(fresh, key=lambda row: row.subject), ignore_conflicts=True)
    update_rows(OrderException, [_state(row) for row in moved])
    return fresh + moved


def _new(question: Question, *, at: datetime) -> OrderException:
    return OrderException(
        order_id=question.order_id, kind=question.kind, subject=question.subject, detail=question.detail[:500],
        opened_at=at,
    )  # fmt: skip


def _turn(row: OrderException, *, at: datetime) -> None:
    row.is_open = not row.is_open
    row.closed_at = None if row.is_open else at
    row.closed_reason = "" if row.is_open else CAUSE_GONE


def _state(row: OrderException) -> dict[str, object]:
    return {
        "id": row.pk,
        "is_open": row.is_open,
        "closed_at": row.closed_at,
        "closed_reason": row.closed_reason,
    }
