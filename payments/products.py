"""What can be bought: each product registers the kind of order that it sells and follows what becomes of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from django.conf import settings

from payments.billing.models import Subscription
from payments.effects.enqueue import EffectRequest
from payments.orders.models import Order
from payments.statuses import ExceptionKind


@dataclass(frozen=True, slots=True)
class Question:
    """Something that a person must decide about money, or (not `is_open`) need not decide any more."""

    kind: ExceptionKind
    subject: str
    order_id: int | None
    is_open: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ProductChange:
    """One thing that the product changed on its side, for the history of the order or of the subscription."""

    order_id: int | None
    field: str
    before: str
    after: str
    subscription_id: int | None = None


@dataclass(slots=True)
class FollowResult:
    """What following the orders brought about: messages to send, questions for staff, changes for the history."""

    effects: list[EffectRequest] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    changes: list[ProductChange] = field(default_factory=list)

    def add(self, other: "FollowResult") -> None:
        """Take in what another product brought about."""
        self.effects += other.effects
        self.questions += other.questions
        self.changes += other.changes


class Product(Protocol):
    """A product. `follow` is called in the transaction that moved the orders, which are locked, sorted by id."""

    def follow(self, orders: Sequence[Order], *, at: datetime) -> FollowResult:
        """Bring the product in line with the orders as they are now; safe to call twice, with many at once."""
        ...

    def hold(self, order: Order, *, until: datetime) -> None:
        """Keep what is bought until then, since it can be paid so long. The order is locked and waits for payment."""
        ...

    def language_of(self, order: Order) -> str:
        """The buyer's language, one of settings.LANGUAGES; "" if the product does not know it."""
        ...

    def page_of(self, order: Order) -> str:
        """The path of the buyer's own page, to which Checkout leads back, paid or not; "" if there is none."""
        ...


_purchasables: dict[str, Product] = {}


class SoldTwice(RuntimeError):
    """Two products claim the same kind of order."""


def purchasable(kind: str) -> Callable[[type[Product]], type[Product]]:
    """Register the decorated class as what orders of this kind sell."""

    def register(product: type[Product]) -> type[Product]:
        if kind in _purchasables:
            raise SoldTwice(kind)
        _purchasables[kind] = product()
        return product

    return register


def follow(orders: Iterable[Order], *, at: datetime) -> FollowResult:
    """Let each product follow its orders. An order of a kind that nobody sells (any more) is left alone."""
    total = FollowResult()
    for kind, group in groupby(sorted(orders, key=attrgetter("kind", "pk")), key=attrgetter("kind")):
        if product := _purchasables.get(kind):
            total.add(product.follow(list(group), at=at))
    return total


def hold(order: Order, *, until: datetime) -> None:
    """Let the product keep what the order buys until then."""
    if product := _purchasables.get(order.kind):
        product.hold(order, until=until)


def language_of(order: Order) -> str:
    """The language in which the buyer of the order reads."""
    product = _purchasables.get(order.kind)
    return (product.language_of(order) if product else "") or settings.LANGUAGE_CODE


def page_of(order: Order) -> str:
    """The path of the page on which the buyer of the order sees what became of it."""
    product = _purchasables.get(order.kind)
    return (product.page_of(order) if product else "") or "/"


class SubscriptionFollower(Protocol):
    """Called in the transaction that moved the subscriptions, which are locked, sorted by id."""

    def __call__(self, subscriptions: Sequence[Subscription], *, at: datetime) -> FollowResult:
        """Bring the product in line with them as they are now; safe to call twice, with many at once."""
        ...


_followers: list[SubscriptionFollower] = []


def follows_subscriptions(follower: SubscriptionFollower) -> SubscriptionFollower:
    """Register the decorated function."""
    _followers.append(follower)
    return follower


def follow_subscriptions(subscriptions: Sequence[Subscription], *, at: datetime) -> FollowResult:
    """Let every product follow them."""
    total = FollowResult()
    for follower in _followers if subscriptions else ():
        total.add(follower(subscriptions, at=at))
    return total
