"""What can be bought: each app that sells something says so in one object (`<app>/product.py`), registered at start-up.

Payments knows no product. It calls what is here; the defaults say that there is nothing of the kind.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.utils.functional import Promise

from accounts.hooks import AccountExtension, extend_accounts
from payments.statuses import ExceptionKind

if TYPE_CHECKING:
    from django.db.models import Model

    from payments.billing.models import Plan, Subscription
    from payments.diagnosis import Finding, Records
    from payments.effects.enqueue import EffectRequest
    from payments.orders.models import Order
    from payments.stripe_api.checkout_params import Recurring
    from payments.timeline.moments import Holding, Moment
    from payments.timeline.story import Subject
    from payments.todo import Done, Source

Label = str | Promise
# What a sentence about money speaks of: words, or an amount.
Value = str | dict[str, int | str]


def sum_of(amount: int, currency: str) -> dict[str, int | str]:
    """An amount as a value of a sentence that is stored now and read later, in the reader's language."""
    return {"amount": amount, "currency": currency}


@dataclass(frozen=True, slots=True)
class Question:
    """Something that a person must decide about money, or (not `is_open`) need not decide any more."""

    kind: ExceptionKind
    subject: str
    order_id: int | None
    is_open: bool
    detail: str = ""
    """An id, or a sentence in English that is marked for translation and takes `values`."""
    values: Mapping[str, Value] = field(default_factory=dict)
    subscription_id: int | None = None


@dataclass(frozen=True, slots=True)
class ProductChange:
    """One thing that the product changed on its side, for the history of the order or of the subscription."""

    order_id: int | None
    field: str
    before: str
    after: str
    subscription_id: int | None = None


@dataclass(frozen=True, slots=True)
class Lead:
    """A row of the product that somebody has named, and what it belongs to: an order, a subscription, a person."""

    row: "Model"
    order_id: int | None = None
    subscription_id: int | None = None
    user_id: int | None = None


@dataclass(slots=True)
class FollowResult:
    """What following brought about: effects to enqueue, questions for staff, changes for the history."""

    effects: "list[EffectRequest]" = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    changes: list[ProductChange] = field(default_factory=list)

    def add(self, other: "FollowResult") -> None:
        """Take in what another product brought about."""
        self.effects += other.effects
        self.questions += other.questions
        self.changes += other.changes


@dataclass(frozen=True, slots=True)
class ProductFigure:
    """Something of a product that is counted by day. `parts`: what its parts are called.

    `rows`: whose list stands behind it ("app.model"), by the column of its moment and the column of its part.
    """

    name: str
    label: Label
    parts: Mapping[str, Label]
    rows: str
    moment: str
    part: str


# A day of the site's zone, the figure's name, its part, how often.
DayCount = tuple[date, str, str, int]


class Product(AccountExtension):
    """One thing that is sold. `kind` is the kind of its orders. What it adds to accounts: see AccountExtension."""

    kind: ClassVar[str]
    label: ClassVar[Label] = ""
    """How staff call its orders, many of them."""
    figures: ClassVar[Sequence[ProductFigure]] = ()
    """What it counts by day, beside money and orders."""
    field_labels: ClassVar[Mapping[str, Label]] = {}
    """How staff call the fields that the product writes into the history."""
    value_labels: ClassVar[Mapping[str, tuple[Label, ...]]] = {}
    """How staff call the values of these fields; parts of a value are joined by ": "."""
    price_screen: ClassVar[str] = ""
    """Whose screen has its prices ("app.model"), where they are found by what `price_name` has behind the kind."""

    # In the transaction that moved the orders or subscriptions, which are locked, sorted by id.

    def follow_orders(self, orders: "Sequence[Order]", *, at: datetime) -> FollowResult:
        """Bring the product in line with its orders as they are now; safe to call twice, with many at once."""
        return FollowResult()

    def follow_subscriptions(self, subscriptions: "Sequence[Subscription]", *, at: datetime) -> FollowResult:
        """Bring what rests on subscriptions in line with them as they are now; safe to call twice."""
        return FollowResult()

    # Around Checkout.

    def hold(self, order: "Order", *, until: datetime) -> None:
        """Keep what is bought until then, since it can be paid so long. The order is locked and waits for payment."""

    def recurring_of(self, order: "Order") -> "Recurring | None":
        """What Checkout is told of the subscription that the order begins; None for what is paid once."""
        return None

    def language_of(self, order: "Order") -> str:
        """The buyer's language, one of settings.LANGUAGES; "" if the product does not know it."""
        return order.user.language if order.user else ""

    def price_name(self, order: "Order") -> str:
        """Whose price the order has: what Stripe refuses to one buyer of it, it refuses to all."""
        return f"{order.kind}:{order.label}"

    def page_of(self, order: "Order") -> str:
        """The path of the buyer's own page, to which Checkout leads back, paid or not; "" if there is none."""
        return ""

    def page_in_mails(self, order: "Order") -> str:
        """The same for a mail to the buyer, whose mailbox may open more than their browser."""
        return self.page_of(order)

    def facts_in_mails(self, order: "Order") -> Mapping[str, object]:
        """What mails about the money of an order say of what was bought.

        `name`: who is greeted. `facts`: the part of a mail ("email/thing", once .html and once .txt) that tells the
        rest, from what is given beside it; without it they say only what the order is called.
        """
        return {}

    def opened_by(self, plan: "Plan") -> Iterable[Label]:
        """What of it a subscription to the plan opens, as the page of the plans says it."""
        return ()

    def receipts_of(self, orders: "Sequence[Order]") -> Mapping[int, str]:
        """The paths of the receipts for these orders of its kind, by the order's key; without those that have none."""
        return {}

    # For staff.

    def purchased_rows(self, subject: "Subject") -> "Iterable[tuple[Model, str]]":
        """What the subject's orders have bought: rows that have a screen, and what they are called there."""
        return ()

    def count_days(self, *, since: datetime, until: datetime) -> Iterable[DayCount]:
        """What of its figures came about; the days are the site's, whole, and asked for again whenever one moves."""
        return ()

    def count_now(self, *, at: datetime) -> Iterable[tuple[Label, int]]:
        """What there is of it at this moment, in words and numbers; asked when an incident begins and when it ends."""
        return ()

    def story(self, subject: "Subject", *, at: datetime) -> "Iterable[Moment]":
        """What is known of what was bought and how it was used; of the subject's person, what else they were given.

        The bank's evidence has it as well, where the subject names no person: only what was paid for.
        """
        return ()

    def holdings(self, subject: "Subject", *, at: datetime) -> "Iterable[Holding]":
        """What the subject has and had of it, the newest first."""
        return ()

    def told_change(self, field: str, before: str, after: str) -> str:
        """The sentence for one of the changes that the product writes into the history; "" for any other."""
        return ""

    # For the diagnosis (payments.diagnosis): by an index each, and nothing is changed.

    def find(self, text: str) -> Iterable[Lead]:
        """What of the product is called so: a number, an id, an e-mail address."""
        return ()

    def people(self, name: str) -> "Iterable[Model]":
        """Rows with an `email` of people in whose name this is a part."""
        return ()

    def diagnose(self, records: "Records") -> "Iterable[Finding]":
        """What is (not) as it should be with what these orders, subscriptions and people have bought."""
        return ()

    # For the list *To do*.

    def needs_a_person(self) -> "Iterable[Source]":
        """What of its own needs somebody, for the list *To do*."""
        return ()

    def done_by_itself(self, *, since: datetime) -> "Iterable[Done]":
        """What it has done by itself since then, for the same list."""
        return ()


# What orders of a kind that nobody sells (any more) get: nothing follows them.
NO_PRODUCT = Product()
_products: dict[str, Product] = {}


class SoldTwice(RuntimeError):
    """Two products claim the same kind of order."""


def register(product: Product) -> None:
    """Make the product known; for an app's ready()."""
    if product.kind in _products:
        raise SoldTwice(product.kind)
    _products[product.kind] = product
    extend_accounts(product)


def all_products() -> Iterator[Product]:
    """Every product, in the order of the apps in INSTALLED_APPS."""
    yield from _products.values()


def product_of(order: "Order") -> Product:
    """The product that this order buys."""
    return _products.get(order.kind, NO_PRODUCT)


def follow_orders(orders: "Iterable[Order]", *, at: datetime) -> FollowResult:
    """Let each product follow its orders."""
    total = FollowResult()
    for _kind, group in groupby(sorted(orders, key=attrgetter("kind", "pk")), key=attrgetter("kind")):
        own = list(group)
        total.add(product_of(own[0]).follow_orders(own, at=at))
    return total


def follow_subscriptions(subscriptions: "Sequence[Subscription]", *, at: datetime) -> FollowResult:
    """Let every product follow them."""
    total = FollowResult()
    for product in all_products() if subscriptions else ():
        total.add(product.follow_subscriptions(subscriptions, at=at))
    return total


def language_of(order: "Order") -> str:
    """The language in which the buyer of the order reads."""
    return product_of(order).language_of(order) or settings.LANGUAGE_CODE
