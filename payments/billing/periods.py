"""Which period of a subscription is paid, since when one is not, and whether the money of the running one went back.

Worked out from all that is known of its payments, so that it does not matter what was heard when.

docs/adr/0014-money-of-subscriptions.md
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from payments.billing.fold import seconds
from payments.billing.models import Payment, Subscription
from payments.statuses import MoneyBack


def settle_periods(row: Subscription, *, payments: Collection[Payment]) -> None:
    """Bring in line what follows from the payments: `covered_until`, `unpaid_since`, `money_back`."""
    last = running_payments(row, payments)
    row.money_back = _money_back(row, last)
    is_running = any(_pays_running_period(row, payment) for payment in last)
    row.covered_until = last[0].period_end if is_running and not row.money_back else None
    row.unpaid_since = _due_at(row, payments)


def running_payments(row: Subscription, payments: Iterable[Payment]) -> list[Payment]:
    """What pays the running period, or where nothing does yet the last one before; several if it was paid twice."""
    paid = [payment for payment in payments if payment.received and payment.period_end]
    if row.period_end is not None:
        # A longer one is what it was changed from; a later one it has not told of yet.
        paid = [payment for payment in paid if payment.period_end and payment.period_end <= row.period_end]
    own = [payment for payment in paid if _pays_running_period(row, payment)]
    last = max(own, key=_paid_order, default=None) or max(paid, key=_period_order, default=None)
    return [each for each in paid if last and _period_of(each) == _period_of(last)]


def _money_back(row: Subscription, last: Sequence[Payment]) -> str:
    """ "": some of the money is here, staff have decided otherwise, or a later period was paid, be it with nothing."""
    if not last or any(each.here or each.access_kept for each in last):
        return MoneyBack.NONE
    end, paid_at = last[0].period_end, max(seconds(each.paid_at) for each in last)
    if seconds(row.last_paid_at) > paid_at and seconds(row.paid_until) > seconds(end):
        return MoneyBack.NONE
    return MoneyBack.DISPUTE_LOST if any(each.lost for each in last) else MoneyBack.REFUNDED


def _due_at(row: Subscription, payments: Iterable[Payment]) -> datetime | None:
    """When the first period was due that is not paid: where the last paid one ended, and some days for an invoice."""
    if row.period_start is None:
        return None
    ends = [row.paid_until, *(payment.period_end for payment in payments if payment.received)]
    begun = max((end for end in ends if end and end <= row.period_start), default=row.period_start)
    return begun + timedelta(days=row.days_until_due)


def _pays_running_period(row: Subscription, payment: Payment) -> bool:
    return row.period_start is None or seconds(payment.period_end) > seconds(row.period_start)


def _period_of(payment: Payment) -> tuple[datetime | None, datetime | None]:
    return payment.period_start, payment.period_end


def _paid_order(payment: Payment) -> tuple[int, str]:
    return seconds(payment.paid_at), payment.key


def _period_order(payment: Payment) -> tuple[int, int, str]:
    return seconds(payment.period_end), *_paid_order(payment)
