"""How an order or a subscription stands, in one sentence: "Paid €60.00, €5.00 refunded, dispute won"."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from payments.billing.models import Dispute, Interval, Payment, Subscription
from payments.billing.subscribers import is_renewed
from payments.money import format_amount, total_text
from payments.orders.models import Order
from payments.statuses import (
    AWAITING_PAYMENT,
    SUBSCRIPTION_OVERDUE,
    WAS_PAID,
    DisputePhase,
    DisputeStatus,
    OrderStatus,
    SubscriptionStatus,
)
from payments.timeline.statements import Owner, Statement, statement_of


def standing(row: Owner | Statement) -> str:
    """One sentence, without its full stop, in the language that is active. Of a row alone: one query."""
    told = row if isinstance(row, Statement) else statement_of(row)
    parts = _of_order(told.owner, told) if isinstance(told.owner, Order) else _of_subscription(told.owner, told)
    return str(capfirst(", ".join(filter(None, parts))))


def total_of(payments: Iterable[Payment], amount: Callable[[Payment], int]) -> str:
    """One sum for each currency; "" for nothing."""
    return total_text((amount(each), each.currency) for each in payments if each.currency)


def _of_order(order: Order, told: Statement) -> Iterator[str]:
    yield _order_state(order, told)
    if order.status == OrderStatus.PAID:
        yield _refunded(told)
    yield from _disputes(told.disputes)
    yield _questions(told)


def _order_state(order: Order, told: Statement) -> str:
    price = {"amount": format_amount(order.amount, order.currency)}
    if order.status in WAS_PAID:
        return _paid(order, told)
    if received := total_of(told.payments, lambda each: each.received):
        return _("received %(received)s, expected %(amount)s") % {"received": received, **price}
    if not order.amount and order.status in AWAITING_PAYMENT:
        return _("free of charge, waiting for confirmation")
    if order.status == OrderStatus.FAILED:
        return _("payment of %(amount)s failed%(code)s") % {**price, "code": _code(order)}
    sentences = {
        OrderStatus.PENDING: _("waiting for the payment of %(amount)s"),
        OrderStatus.ACTION_REQUIRED: _("waiting for the buyer to confirm the payment of %(amount)s with their bank"),
        OrderStatus.PROCESSING: _("payment of %(amount)s under way"),
        OrderStatus.EXPIRED: _("expired, nothing was paid"),
        OrderStatus.CANCELED: _("canceled, nothing was paid"),
    }
    return sentences[OrderStatus(order.status)] % price


def _code(order: Order) -> str:
    return f" ({order.failure_code})" if order.attempt_charge and order.failure_code else ""


def _paid(order: Order, told: Statement) -> str:
    received = total_of(told.payments, lambda each: each.received)
    if not received and not order.amount_received:
        return _("free of charge, confirmed") if not order.amount else _("settled without a payment of its own")
    amount = received or format_amount(order.amount_received, order.currency)
    if order.status == OrderStatus.REFUNDED:
        return _("paid %(amount)s, refunded in full") % {"amount": amount}
    return _("paid %(amount)s") % {"amount": amount}


def _refunded(told: Statement) -> str:
    amount = total_of(told.payments, lambda each: each.refunded)
    return _("%(amount)s refunded") % {"amount": amount} if amount else ""


def _disputes(disputes: Iterable[Dispute]) -> Iterator[str]:
    for dispute in disputes:
        yield _dispute(dispute)


def _dispute(row: Dispute) -> str:
    about = {"amount": format_amount(row.amount, row.currency), "day": day_of(row.due_by) if row.due_by else ""}
    match DisputePhase(row.phase):
        case DisputePhase.INQUIRY:
            return _("the bank asks about %(amount)s") % about
        case DisputePhase.LOST:
            return _("dispute of %(amount)s lost") % about
        case DisputePhase.CLOSED if row.status == DisputeStatus.WON:
            return _("dispute won")
        case DisputePhase.CLOSED:
            return _("dispute closed without loss")
    if row.status == DisputeStatus.NEEDS_RESPONSE and row.due_by:
        return _("%(amount)s disputed, answer due by %(day)s") % about
    return _("%(amount)s disputed") % about


def _questions(told: Statement) -> str:
    kinds = ", ".join(dict.fromkeys(str(each.get_kind_display()) for each in told.open_questions))
    return _("open question: %(kinds)s") % {"kinds": kinds} if kinds else ""


def _of_subscription(row: Subscription, told: Statement) -> Iterator[str]:
    yield _subscription_state(row)
    if not row.has_ended:
        yield terms_text(row)
        yield _end_of(row)
    if received := total_of(told.payments, lambda each: each.received):
        yield pgettext("of a subscription", "%(amount)s paid so far") % {"amount": received}
    yield _refunded(told)
    yield from _disputes(told.disputes)
    yield _questions(told)


def _subscription_state(row: Subscription) -> str:
    if row.status == SubscriptionStatus.CANCELED and row.ended_at:
        return _("ended on %(day)s") % {"day": day_of(row.ended_at)}
    if row.status in SUBSCRIPTION_OVERDUE and row.unpaid_since:
        return _("payment overdue since %(day)s") % {"day": day_of(row.unpaid_since)}
    return row.status_text


def _end_of(row: Subscription) -> str:
    if row.cancel_at:
        return _("ends on %(day)s") % {"day": day_of(row.cancel_at)}
    if is_renewed(row) and row.period_end:
        return _("renews on %(day)s") % {"day": day_of(row.period_end)}
    return ""


def terms_text(row: Subscription) -> str:
    """What it costs: "€4.00 a month", "€12.00 a month (× 3)" for each third month; "" where nobody has told."""
    if not row.currency:
        return ""
    label = dict(Interval.choices).get(row.interval, row.interval)
    times = f" (× {row.interval_count})" if row.interval_count != 1 else ""
    return f"{row.price_text} {label}{times}"


def day_of(moment: datetime) -> str:
    """The day in the site's time zone."""
    return date_format(timezone.localtime(moment), "DATE_FORMAT")
