"""Orders and subscriptions with all their money and open questions, in one query however many there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Model, OuterRef, QuerySet
from django.db.models.functions import JSONObject

from payments.billing.models import Dispute, Payment, Refund, Subscription
from payments.orders.models import CheckoutAttempt, Order, OrderException

Row = TypeVar("Row", bound=Model)
Owner = Order | Subscription
CHILDREN: Mapping[str, type[Model]] = {
    "payments": Payment, "refunds": Refund, "disputes": Dispute, "questions": OrderException,
}  # fmt: skip
OF_ORDERS: Mapping[str, type[Model]] = {**CHILDREN, "checkouts": CheckoutAttempt}
# What Stripe is asked with is nobody's to read.
LEFT_OUT = frozenset({"params"})


@dataclass(slots=True)
class Statement:
    """One order or subscription, and the rows that belong to it, the oldest first."""

    owner: Owner
    payments: list[Payment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)
    questions: list[OrderException] = field(default_factory=list)
    checkouts: list[CheckoutAttempt] = field(default_factory=list)

    @property
    def order(self) -> Order | None:
        """The order; None of a subscription."""
        return self.owner if isinstance(self.owner, Order) else None

    @property
    def subscription(self) -> Subscription | None:
        """The subscription; None of an order."""
        return self.owner if isinstance(self.owner, Subscription) else None

    @property
    def name(self) -> str:
        """What people and Stripe call it."""
        return self.owner.number if isinstance(self.owner, Order) else self.owner.stripe_id

    @property
    def open_questions(self) -> list[OrderException]:
        """What waits for a person."""
        return [each for each in self.questions if each.is_open]


def statements_of(owners: "QuerySet[Order] | QuerySet[Subscription]") -> list[Statement]:
    """A statement of each, in their order."""
    children = OF_ORDERS if owners.model is Order else CHILDREN
    link = "order" if owners.model is Order else "subscription"
    arrays = {f"{name}_told": _array(model, link) for name, model in children.items()}
    return [_statement(row, children) for row in owners.annotate(**arrays)]


def statement_of(owner: Owner) -> Statement:
    """The statement of one, read anew."""
    rows: Any = type(owner).objects.filter(pk=owner.pk)
    return statements_of(rows)[0]


def _array(model: type[Model], link: str) -> ArraySubquery:
    """All rows of the owner as JSON, so that they come with it."""
    names = {each.attname: each.attname for each in model._meta.concrete_fields if each.attname not in LEFT_OUT}
    more = {"closed_by_name": "closed_by__email"} if model is OrderException else {}
    rows = model._default_manager.filter(**{link: OuterRef("pk")}).order_by("pk")
    return ArraySubquery(rows.values(row=JSONObject(**names, **more)))


def _statement(owner: Owner, children: Mapping[str, type[Model]]) -> Statement:
    told: dict[str, Any] = {name: _rows(model, getattr(owner, f"{name}_told")) for name, model in children.items()}
    return Statement(owner, **told)


def _rows(model: type[Row], told: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The rows as the model's own; they can be read, not saved."""
    fields = {each.attname: each for each in model._meta.concrete_fields}
    rows = []
    for values in told:
        row = model()
        for name, value in values.items():
            setattr(row, name, fields[name].to_python(value) if name in fields else value)
        rows.append(row)
    return rows
