"""The locked rows of a batch and their parts: read in a few statements, changed in memory, written in a few."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from django.db import models
from django.utils.timezone import get_default_timezone, localdate

from payments.billing.fold import needs_resync, settle_periods
from payments.billing.models import Customer, Dispute, Payment, Refund, Subscription
from payments.facts import CustomerFact, Fact
from payments.moved_days import MovedDay
from payments.orders.fold import lost_of, recompute, refunded_of
from payments.orders.models import CheckoutAttempt, Order
from payments.sql import insert_rows, select_rows, update_rows


def values_of(row: models.Model, columns: Iterable[str]) -> dict[str, Any]:
    """The row's values of these columns, by name."""
    return {column: getattr(row, column) for column in columns}


class LockedState(Protocol):
    """What `States` asks of one locked row with its parts."""

    row: Any
    before: dict[str, Any]
    payments: dict[str, Payment]
    refunds: dict[str, Refund]
    disputes: dict[str, Dispute]


# What of them the figures of a day count (payments/figures/daily.py).
COUNTED: dict[type[models.Model], tuple[str, ...]] = {
    Payment: ("received", "refunded", "currency", "paid_at"),
    Refund: ("payment", "amount", "currency", "status", "made_at", "status_at"),
    Dispute: ("amount", "currency", "phase", "lost_at", "won_at", "status_at"),
}


def mark_days(days: Iterable[date]) -> None:
    """The figures of these days have moved: one statement, and none where nothing has."""
    insert_rows([MovedDay(day=day) for day in sorted(days)])


S = TypeVar("S", bound=LockedState)
Part = tuple[type[models.Model], str, str, tuple[str, ...]]


@dataclass(slots=True)
class Written:
    """The values of rows as they stand in the database."""

    values: dict[int, dict[str, Any]]

    def differs(self, row: models.Model, columns: tuple[str, ...]) -> bool:
        """Whether the row has other values than the database."""
        return self.values.get(id(row)) != values_of(row, columns)

    def dates_moved(self, row: models.Model) -> set[datetime]:
        """The moments at which it counts in the figures, and those at which it did, if anything about that differs."""
        columns = COUNTED.get(type(row), ())
        before, now = self.values.get(id(row), {}), values_of(row, columns)
        if all(before.get(column) == value for column, value in now.items()):
            return set()
        told = (*now.values(), *(before.get(column) for column in columns))
        return {value for value in told if isinstance(value, datetime)}


class States(dict[int, S], Generic[S]):
    """The locked rows of a batch by id, each with what belongs to it."""

    model: ClassVar[type[models.Model]]
    owner: ClassVar[str]
    columns: ClassVar[tuple[str, ...]]
    guards: ClassVar[tuple[str, ...]]
    parts: ClassVar[Sequence[Part]]
    # What of the row itself the figures count: where it differs, so do the days of all its payments.
    counted: ClassVar[tuple[str, ...]]

    @classmethod
    def make(cls, row: Any, before: dict[str, Any]) -> S:
        """The state of one row that was just read."""
        raise NotImplementedError

    @classmethod
    def lock(cls, ids: Collection[int]) -> Self:
        """Lock the rows, sorted by id, and read what belongs to them."""
        if not ids:
            return cls()
        rows = select_rows(cls.model, "WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [list(ids)])
        states = cls({row.pk: cls.make(row, values_of(row, cls.columns)) for row in rows})
        for model, place, key, _columns in cls.parts:
            for part in select_rows(model, f"WHERE {cls.owner} = ANY(%s)", [list(states)]):
                getattr(states[getattr(part, cls.owner)], place)[getattr(part, key)] = part
        return states

    def snapshot(self) -> "Written":
        """How the parts are now: what is written later is the difference."""
        return Written({id(row): values_of(row, columns) for row, columns in self._parts()})

    def changed(self, written: "Written") -> set[int]:
        """The rows of which anything, be it a payment's name, differs from what was read."""
        parts = {getattr(row, self.owner) for row, columns in self._parts() if written.differs(row, columns)}
        return parts | {key for key, state in self.items() if self._has_moved(state)}

    def save(self, written: "Written") -> set[date]:
        """Write what changed since `written`: one statement per table for new rows, one for changed ones.

        Returns the days whose figures that moves, for `mark_days`.
        """
        days = {localdate(moment, get_default_timezone()) for moment in self._dates_moved(written)}
        moved = [state for state in self.values() if self._has_moved(state)]
        update_rows(self.model, [self._values(state) for state in moved], guards=self.guards)
        fresh: dict[type[models.Model], list[models.Model]] = defaultdict(list)
        changed: dict[type[models.Model], list[dict[str, Any]]] = defaultdict(list)
        for row, columns in self._parts():
            if row.pk is None:
                fresh[type(row)].append(row)
            elif written.differs(row, columns):
                changed[type(row)].append({"id": row.pk, **values_of(row, columns)})
        for rows in fresh.values():
            insert_rows(rows)
        for model, values in changed.items():
            update_rows(model, values)
        return days

    def _dates_moved(self, written: "Written") -> Iterator[datetime]:
        for state in self.values():
            payments = state.payments
            if any(getattr(state.row, name) != state.before[name] for name in self.counted):
                yield from (payment.paid_at for payment in payments.values() if payment.paid_at)
                yield from filter(None, [getattr(state.row, "created_at", None)])
            for row in (*payments.values(), *state.refunds.values(), *state.disputes.values()):
                moved = written.dates_moved(row)
                yield from moved
                # What is refunded of a payment, and stands in no row, counts on the payment's own day.
                paid = payments.get(row.payment) if moved and isinstance(row, Refund) else None
                yield from filter(None, [paid and paid.paid_at])

    def _has_moved(self, state: S) -> bool:
        return values_of(state.row, self.columns) != state.before

    def _values(self, state: S) -> dict[str, Any]:
        old_key = {f"was_{column}": state.before[column] for column in self.guards}
        return {"id": state.row.pk, **values_of(state.row, self.columns), **old_key}

    def _parts(self) -> Iterable[tuple[models.Model, tuple[str, ...]]]:
        for state in self.values():
            for _model, place, _key, columns in self.parts:
                for row in getattr(state, place).values():
                    yield row, columns


ORDER_STATE = (
    "status", "paid_at", "amount_received", "amount_refunded", "dispute_state", "city", "country", "located_at",
    "attempt_status", "attempt_number", "attempt_at", "failed_charge", "failed_attempt", "failed_at", "failure_code",
    "failure_message", "settled_at",
)  # fmt: skip
ORDER_KEY = ("status", "attempt_status", "attempt_number", "attempt_at")
SUBSCRIPTION_STATE = (
    "customer_id", "order_id", "plan_id", "status", "stripe_updated_at", "fingerprint", "from_created_event",
    "has_conflict", "price", "amount", "currency", "interval", "interval_count", "quantity", "started_at",
    "period_start", "period_end", "trial_end", "cancel_at", "canceled_at", "ended_at", "last_paid_at", "paid_until",
    "needs_resync", "further_plans", "plan_slug", "plan_told_at", "prices", "pause", "resumes_at", "days_until_due",
    "covered_until", "unpaid_since", "money_back",
)  # fmt: skip
SUBSCRIPTION_KEY = ("status", "stripe_updated_at", "fingerprint")
PAYMENT_STATE = (
    "session", "charge", "currency", "received", "charge_refunded", "refunded", "lost", "off_stripe", "paid_at",
    "fraud_warning", "fraud_type", "fraud_told_at", "is_fraud_actionable", "period_start", "period_end",
)  # fmt: skip
REFUND_STATE = (
    "payment", "amount", "currency", "status", "status_at", "reason", "failure_reason", "pending_reason", "made_at",
)  # fmt: skip
DISPUTE_STATE = (
    "payment", "amount", "currency", "reason", "status", "phase", "status_at", "due_by", "lost_at", "won_at",
)  # fmt: skip
CHECKOUT_STATE = ("session", "expires_at")


@dataclass(slots=True)
class OrderState:
    """One locked order with its money; `before` is how the row was read."""

    row: Order
    checkouts: dict[int, CheckoutAttempt] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)

    @property
    def order(self) -> Order:
        return self.row

    @property
    def owner(self) -> dict[str, Any]:
        """To whom its money belongs: what new rows of it are made with."""
        return {"order": self.row}

    @property
    def order_id(self) -> int:
        """The order to which its effects and questions belong."""
        return self.row.pk

    @property
    def subscription_id(self) -> None:
        """No subscription."""

    def sessions(self) -> set[str]:
        """The Checkout sessions that are this order's own."""
        return {checkout.session for checkout in self.checkouts.values() if checkout.session}

    def recompute(self) -> None:
        """Work out what all that we know means."""
        recompute(
            self.row,
            payments=self.payments.values(),
            refunds=self.refunds.values(),
            disputes=self.disputes.values(),
            sessions=self.sessions(),
        )


@dataclass(slots=True)
class SubscriptionState:
    """One locked subscription with its money; `before` is how the row was read."""

    row: Subscription
    payments: dict[str, Payment] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)

    @property
    def owner(self) -> dict[str, Any]:
        """To whom its money belongs: what new rows of it are made with."""
        return {"subscription": self.row}

    @property
    def order_id(self) -> int | None:
        """The order that began it: its effects belong to both."""
        return self.row.order_id

    @property
    def subscription_id(self) -> int:
        """Itself."""
        return self.row.pk

    def recompute(self) -> None:
        """Work out what all that we know means."""
        for payment in self.payments.values():
            payment.refunded = refunded_of(payment, self.refunds.values())
            payment.lost = lost_of(payment, self.disputes.values())
        settle_periods(self.row, payments=self.payments.values())
        self.row.needs_resync = needs_resync(self.row)


MoneyState = OrderState | SubscriptionState
MONEY: tuple[Part, ...] = (
    (Payment, "payments", "key", PAYMENT_STATE),
    (Refund, "refunds", "stripe_id", REFUND_STATE),
    (Dispute, "disputes", "stripe_id", DISPUTE_STATE),
)


class OrderStates(States[OrderState]):
    """The locked orders of a batch."""

    model, owner, columns, guards = Order, "order_id", ORDER_STATE, ORDER_KEY
    counted = ("city", "country", "paid_at")
    parts = ((CheckoutAttempt, "checkouts", "number", CHECKOUT_STATE), *MONEY)

    @classmethod
    def make(cls, row: Any, before: dict[str, Any]) -> OrderState:
        return OrderState(row, before=before)


class SubscriptionStates(States[SubscriptionState]):
    """The locked subscriptions of a batch."""

    model, owner, columns, guards = Subscription, "subscription_id", SUBSCRIPTION_STATE, SUBSCRIPTION_KEY
    counted = ("customer_id",)
    parts = MONEY

    @classmethod
    def make(cls, row: Any, before: dict[str, Any]) -> SubscriptionState:
        return SubscriptionState(row, before=before)


def lock_customers(facts: Iterable[Fact]) -> dict[int, Customer]:
    """The people of whom these facts tell, as far as we know them; locked, sorted by id."""
    names = _customers_of(facts)
    if not names:
        return {}
    rows = Customer.objects.filter(stripe_id__in=names).order_by("pk").select_for_update(no_key=True)
    return {row.pk: row for row in rows}


def days_of_payments(customer_ids: Collection[int]) -> set[date]:
    """The days on which these people have paid for their subscriptions."""
    if not customer_ids:
        return set()
    paid = Payment.objects.filter(subscription__customer__in=customer_ids, paid_at__isnull=False)
    return {localdate(moment, get_default_timezone()) for moment in paid.values_list("paid_at", flat=True)}


def subscriptions_without_account(facts: Iterable[Fact]) -> set[int]:
    """What people of whom these facts tell pay for without an account: it follows if they turn out to have one."""
    names = _customers_of(facts)
    if not names:
        return set()
    rows = Subscription.objects.filter(customer__stripe_id__in=names, customer__user__isnull=True)
    return set(rows.values_list("pk", flat=True))


def _customers_of(facts: Iterable[Fact]) -> set[str]:
    return {fact.refs.customer for fact in facts if isinstance(fact, CustomerFact)}
