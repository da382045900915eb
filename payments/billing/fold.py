"""How facts become a subscription's and a customer's state, and which questions a subscription's money raises.

In any order of arrival the same (docs/adr/0009-subscriptions.md, docs/adr/0014-money-of-subscriptions.md).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import astuple
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext_noop

from payments.billing.models import Customer, Dispute, Payment, Plan, Subscription
from payments.facts import CustomerFact, InvoiceFact, SubscriptionFact, Terms
from payments.products import Question, Value, sum_of
from payments.statuses import (
    SUBSCRIPTION_ENDED,
    SUBSCRIPTION_NOT_BEGUN,
    SUBSCRIPTION_ORDER,
    DisputePhase,
    ExceptionKind,
    MoneyBack,
)

SUBSCRIPTION_FIELDS = (
    "status", "started_at", "period_start", "period_end", "trial_end", "cancel_at", "canceled_at", "ended_at", "pause",
    "resumes_at", "days_until_due",
)  # fmt: skip
ITEM_FIELDS = ("price", "interval", "interval_count", "quantity")
TERMS_FIELDS = (*ITEM_FIELDS, "amount", "currency")
PERIOD_FIELDS = ("period_start", "period_end")

# Ended, second, told later than its birth, rank, content.
Key = tuple[bool, int, bool, int, str]


def seconds(moment: datetime | None) -> int:
    """Whole seconds, as Stripe counts them; never is before everything."""
    return int(moment.timestamp()) if moment else 0


def values_told(fact: SubscriptionFact, plans: Iterable[Plan]) -> dict[str, Any]:
    """What the fact says, column by column. Period, price and quantity are those of the items that are plans of ours:
    a plan may stand beside add-ons. What is not told at all is left out: it is not thereby gone.
    """
    told = {name: getattr(fact, name) for name in SUBSCRIPTION_FIELDS}
    if fact.terms != Terms():
        told |= {name: getattr(fact.terms, name) for name in TERMS_FIELDS} | {"prices": list(fact.prices)}
    ours = {price for plan in plans for price in plan.all_prices}
    # What is had no times opens nothing; it names the plan only where nothing else does.
    own = sorted((item for item in fact.terms.items if item.price in ours), key=lambda item: item.quantity == 0)
    if own:
        told |= {name: getattr(own[0], name) for name in ITEM_FIELDS}
        told["prices"] = [item.price for item in (*own, *fact.terms.items) if item.quantity] or [own[0].price]
        starts, ends = [item.period_start for item in own], [item.period_end for item in own]
        told["period_start"] = min(filter(None, starts), default=fact.period_start)
        told["period_end"] = max(filter(None, ends), default=fact.period_end)
    return {name: value for name, value in told.items() if value is not None or name not in PERIOD_FIELDS}


def fold_subscription(row: Subscription, fact: SubscriptionFact, plans: Sequence[Plan] = ()) -> bool:
    """Take the whole of the fact if it is the greater: ended, then the second, then the rank. True if it was.

    Two that differ within one second contradict each other: which was the later one, only Stripe knows.
    """
    known, told = _key_of_row(row), _key_of_fact(fact)
    contradicts = row.stripe_updated_at is not None and known[:3] == told[:3] and known != told
    if told <= known:
        row.has_conflict = row.has_conflict or contradicts
        return False
    row.has_conflict = contradicts
    row.stripe_updated_at, row.from_created_event, row.fingerprint = fact.occurred_at, fact.from_created_event, told[-1]
    for name, value in values_told(fact, plans).items():
        setattr(row, name, value)
    return True


def _key_of_row(row: Subscription) -> Key:
    rank = SUBSCRIPTION_ORDER.get(row.status, 0)
    return (
        row.status in SUBSCRIPTION_ENDED,
        seconds(row.stripe_updated_at),
        not row.from_created_event,
        rank,
        row.fingerprint,
    )


def _key_of_fact(fact: SubscriptionFact) -> Key:
    content = (astuple(fact.terms), fact.plan, *(getattr(fact, name) for name in SUBSCRIPTION_FIELDS))
    fingerprint, rank = sha256(repr(content).encode()).hexdigest(), SUBSCRIPTION_ORDER.get(fact.status, 0)
    return fact.status in SUBSCRIPTION_ENDED, seconds(fact.occurred_at), not fact.from_created_event, rank, fingerprint


def fold_paid_invoice(row: Subscription, fact: InvoiceFact) -> None:
    """Until when the subscription is paid, by the invoice that was paid last."""
    if fact.paid_at is None or fact.period_end is None:
        return
    known = (seconds(row.last_paid_at), seconds(row.paid_until))
    if (seconds(fact.paid_at), seconds(fact.period_end)) > known:
        row.last_paid_at, row.paid_until = fact.paid_at, fact.period_end


def needs_resync(row: Subscription) -> bool:
    """Whether what we were told leaves out something that only Stripe can tell."""
    if row.has_ended:
        return False
    return row.stripe_updated_at is None or row.has_conflict or _is_behind(row)


def _is_behind(row: Subscription) -> bool:
    """A period was paid that the subscription has not told of yet."""
    if row.paid_until is None or seconds(row.last_paid_at) <= seconds(row.stripe_updated_at):
        return False
    return row.period_end is None or row.paid_until > row.period_end


def fold_customer(row: Customer, fact: CustomerFact) -> None:
    """Name and address each as they were told last; who was deleted stays so."""
    if fact.is_deleted:
        row.deleted_at = min(row.deleted_at or fact.occurred_at, fact.occurred_at)
        return
    known = (seconds(row.stripe_updated_at), row.email, row.name)
    if (fact.email or fact.name) and (seconds(fact.occurred_at), fact.email, fact.name) > known:
        row.stripe_updated_at, row.email, row.name = fact.occurred_at, fact.email, fact.name
    lives = (seconds(row.located_at), row.country, row.city)
    if (fact.city or fact.country) and (seconds(fact.occurred_at), fact.country, fact.city) > lives:
        row.located_at, row.country, row.city = fact.occurred_at, fact.country, fact.city


def fold_plan(row: Subscription, fact: SubscriptionFact, plans: Sequence[Plan]) -> None:
    """Which plan was named last, by a price or by its slug: prices change, and metadata may be missing later."""
    slugs = [plan.slug for plan in _with_prices(fact.prices, plans)] + [
        plan.slug for plan in plans if plan.slug == fact.plan
    ]
    if slugs and (seconds(fact.occurred_at), slugs[0]) > (seconds(row.plan_told_at), row.plan_slug):
        row.plan_told_at, row.plan_slug = fact.occurred_at, slugs[0]


def plans_of(row: Subscription, plans: Sequence[Plan], *, order_plan: int | None = None) -> list[Plan]:
    """All plans of ours that it holds, by the prices of its items, which belong or once belonged to them.

    Where none does, the one that was named last, else the one of the order that began it, else the one that was known.
    """
    if held := _with_prices(row.prices or [row.price], plans):
        return held
    named = [plan for plan in plans if row.plan_slug and plan.slug == row.plan_slug]
    return named or [plan for plan in plans if plan.pk and plan.pk == (order_plan or row.plan_id)]


def _with_prices(prices: Iterable[str], plans: Sequence[Plan]) -> list[Plan]:
    found = {plan.slug: plan for price in prices if price for plan in plans if price in plan.all_prices}
    return list(found.values())


# --- which period is paid, since when one is not, and whether the money of the running one went back ------------


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


# --- what staff are asked: open while its cause lasts, as of orders (payments/orders/fold.py) --------------------

AFTER_END = gettext_noop("%(received)s received, although it had ended before.")
NEVER_TOLD = gettext_noop("%(received)s received; Stripe has told nothing else of it.")
SAME_PERIOD = gettext_noop("%(received)s received for a period that %(first)s has paid.")
OTHER_CURRENCY = gettext_noop("%(received)s received, expected in %(currency)s.")
ALL_REFUNDED = gettext_noop("%(received)s refunded: its access has ended, and it goes on being billed.")
ALL_LOST = gettext_noop("%(received)s lost to a dispute: its access has ended, and it goes on being billed.")
PART_REFUNDED = gettext_noop("%(refunded)s of %(received)s refunded: its access goes on.")
PRICE_OF_NO_PLAN = gettext_noop("%(price)s belongs to no plan here: its access goes on.")
PART_DISPUTED = gettext_noop("A part of %(received)s is disputed or lost: its access goes on.")
Asked = tuple[ExceptionKind, bool, str]


def questions_of_subscription(
    row: Subscription, *, payments: Collection[Payment], disputes: Collection[Dispute], plan: Plan | None
) -> Iterator[Question]:
    """What it is billed for, and for each payment everything that can be wrong with it, open or not."""
    yield _about_price(row, plan)
    running = running_payments(row, payments)
    currencies = {each for each in (row.currency, plan.currency if plan else "") if each}
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


def _about_price(row: Subscription, plan: Plan | None) -> Question:
    """Whether no price of it is one of its plan, which is then only remembered: access stays, and a person looks.

    One that costs the same as the plan asks nothing: Checkout was told the amount, or the price was made anew.
    """
    told = [price for price in row.prices or [row.price] if price]
    costs = (row.amount, row.currency, row.interval, row.interval_count)
    is_unknown = (
        plan is not None and bool(told) and not {*told}.intersection(plan.all_prices)
        and costs != (plan.amount, plan.currency, plan.interval, 1)
    )  # fmt: skip
    values: dict[str, Value] = {"price": ", ".join(told)}
    if row.currency:
        values["amount"] = sum_of(row.amount, row.currency)
    return Question(
        ExceptionKind.UNKNOWN_PRICE, row.stripe_id, None, is_unknown and not row.has_ended, PRICE_OF_NO_PLAN, values,
        subscription_id=row.pk,
    )  # fmt: skip


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
