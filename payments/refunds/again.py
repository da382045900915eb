"""What staff let be tried once more: a message that was not delivered, money that is owed."""

from datetime import datetime

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from payments.apply.owed import Debt, ask_again, money_of
from payments.bell import ring_on_commit
from payments.billing.models import Payment
from payments.effects.deliver import try_again
from payments.effects.enqueue import enqueue
from payments.orders.models import OrderChange, OrderException
from payments.refunds.refund import refund_requests
from payments.refunds.staff_refunds import DecisionRefused, require, require_open
from payments.statuses import ExceptionKind

log = structlog.get_logger(__name__)
# What the history calls it.
SENT_AGAIN, REFUNDED_AGAIN = "message", "again"


@transaction.atomic
def send_again(*, exception: OrderException, reason: str, by: str, at: datetime) -> None:
    """Deliver at once what was given up or is in doubt. Raises DecisionRefused where it is under way already."""
    require(reason)
    if exception.kind != ExceptionKind.NOT_DELIVERED:
        raise DecisionRefused(_("This is no question of a message."))
    require_open(exception)
    if not try_again(key=exception.subject, at=at):
        raise DecisionRefused(_("It is being delivered at this moment."))
    _record(exception, SENT_AGAIN, reason=reason, by=by, at=at)


@transaction.atomic
def refund_again(*, exception: OrderException, reason: str, by: str, at: datetime) -> None:
    """Ask Stripe once more for what is owed; the question closes when it is done. Raises DecisionRefused."""
    require(reason)
    if exception.kind != ExceptionKind.REFUND_OWED:
        raise DecisionRefused(_("This is no question of a refund."))
    require_open(exception)
    debt = find_debt(exception)
    if debt is None:
        raise DecisionRefused(_("Nothing of this is owed any more."))
    if not (ask_again(debt, at=at) if debt.effect else _ask_anew(debt, reason=reason, by=by, at=at)):
        raise DecisionRefused(_("It is being delivered at this moment."))
    _record(exception, REFUNDED_AGAIN, reason=reason, by=by, at=at)


def find_debt(exception: OrderException) -> Debt | None:
    """What the question is about, as it stands now; None if nothing of it is owed."""
    rows = Payment.objects.filter(key=exception.values.get("payment", "")).select_related(
        "order", "subscription__customer"
    )
    debts = (debt for money in money_of(rows).values() for debt in money.debts())
    return next((debt for debt in debts if debt.subject == exception.subject and debt.is_open), None)


def _ask_anew(debt: Debt, *, reason: str, by: str, at: datetime) -> bool:
    """Nobody here had asked for the refund that failed: from now on somebody has."""
    owner = debt.payment.order or debt.payment.subscription
    if owner is None:
        return False
    requests = refund_requests(
        owner=owner, payment=debt.payment.key, amount=debt.amount, reason=reason, by=by, key=f"again:{debt.subject}",
        at=at,
    )  # fmt: skip
    return bool(enqueue(requests, at=at))


def _record(exception: OrderException, action: str, *, reason: str, by: str, at: datetime) -> None:
    if exception.order_id or exception.subscription_id:
        OrderChange.objects.create(
            order_id=exception.order_id, subscription_id=exception.subscription_id, field=action, after=reason[:255],
            occurred_at=at, learned_at=at, source=by[:255],
        )  # fmt: skip
    log.info("exception.tried_again", question=exception.pk, effect=exception.subject, by=by, reason=reason)
    ring_on_commit()
