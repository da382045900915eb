"""What the money of a subscription asks staff: open while its cause lasts, as of orders (payments/orders/fold.py)."""

from collections.abc import Collection, Iterator

from django.utils.translation import gettext_noop

from payments.billing.fold import seconds
from payments.billing.models import Dispute, Payment, Subscription
from payments.billing.periods import running_payments
from payments.money import sum_of
from payments.products import Question, Value
from payments.statuses import SUBSCRIPTION_NOT_BEGUN, DisputePhase, ExceptionKind, MoneyBack

AFTER_END = gettext_noop("%(received)s received, although it had ended before.")
NEVER_TOLD = gettext_noop("%(received)s received; Stripe has told nothing else of it.")
SAME_PERIOD = gettext_noop("%(received)s received for a period that %(first)s has paid.")
OTHER_CURRENCY = gettext_noop("%(received)s received, expected in %(currency)s.")
ALL_REFUNDED = gettext_noop("%(received)s refunded: its access has ended, and it goes on being billed.")
ALL_LOST = gettext_noop("%(received)s lost to a dispute: its access has ended, and it goes on being billed.")
PART_REFUNDED = gettext_noop("%(refunded)s of %(received)s refunded: its access goes on.")
PART_DISPUTED = gettext_noop("A part of %(received)s is disputed or lost: its access goes on.")
Asked = tuple[ExceptionKind, bool, str]


def questions_of_subscription(
    row: Subscription, *, payments: Collection[Payment], disputes: Collection[Dispute], plan_currency: str
) -> Iterator[Question]:
    """For each payment everything that can be wrong with it, open or not."""
    running = running_payments(row, payments)
    currencies = {each for each in (row.currency, plan_currency) if each}
    for payment in payments:
        first = _paid_before(payment, payments)
        values: dict[str, Value] = {
            "received": sum_of(payment.received, payment.currency),
            "refunded": sum_of(payment.refunded, payment.currency),
            "first": first.key if first else "",
            "currency": " / ".join(sorted(currencies)).upper(),
        }
        asked = [*_about_money(row, payment, currencies), *_about_period(row, payment, running, disputes)]
        asked.append((ExceptionKind.SECOND_PAYMENT, first is not None, SAME_PERIOD))
        for kind, is_open, detail in asked:
            yield Question(kind, payment.key, None, is_open, detail, values, subscription_id=row.pk)


def _about_money(row: Subscription, payment: Payment, currencies: Collection[str]) -> Iterator[Asked]:
    """Whether it should be here at all. What went back asks nothing."""
    is_here = payment.here > 0
    end = row.ended_at or row.canceled_at or row.stripe_updated_at
    is_late = row.has_ended and seconds(payment.paid_at) > seconds(end)
    yield ExceptionKind.PAID_AFTER_END, is_here and is_late, AFTER_END
    yield ExceptionKind.UNKNOWN_SUBSCRIPTION, is_here and row.stripe_updated_at is None, NEVER_TOLD
    is_foreign = any(currency != payment.currency for currency in currencies)
    yield ExceptionKind.AMOUNT_MISMATCH, is_here and is_foreign, OTHER_CURRENCY


def _about_period(
    row: Subscription, payment: Payment, running: Collection[Payment], disputes: Collection[Dispute]
) -> Iterator[Asked]:
    """What becomes of the running period, of which the money went back, wholly or in part."""
    is_live = payment in running and not row.has_ended and row.status not in SUBSCRIPTION_NOT_BEGUN
    all_back = ALL_LOST if row.money_back == MoneyBack.DISPUTE_LOST else ALL_REFUNDED
    yield ExceptionKind.PERIOD_REFUNDED, is_live and bool(row.money_back), all_back
    is_left = is_live and payment.here > 0
    yield ExceptionKind.PARTLY_REFUNDED, is_left and payment.refunded > 0, PART_REFUNDED
    yield ExceptionKind.PARTLY_DISPUTED, is_left and _is_partly_disputed(payment, disputes), PART_DISPUTED


def _is_partly_disputed(payment: Payment, disputes: Collection[Dispute]) -> bool:
    own = [each for each in disputes if each.payment == payment.key]
    return any(
        each.phase == DisputePhase.LOST or (each.phase == DisputePhase.OPEN and each.amount < payment.left)
        for each in own
    )


def _paid_before(payment: Payment, payments: Collection[Payment]) -> Payment | None:
    """Another that has paid the very same period earlier, where the money of both is here."""
    if payment.period_end is None or payment.here == 0:
        return None
    same = (payment.period_start, payment.period_end)
    earlier = [each for each in payments if (each.period_start, each.period_end) == same and each.here]
    first = min(earlier, key=lambda each: (seconds(each.paid_at), each.key))
    return None if first is payment else first
