"""Modules, and people who have bought one, were given one, or hold a token for it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from accounts.models import User
from modules_access.models import AccessToken, Module, ModuleAccess, Purchase
from modules_access.services.grants import grant_access
from modules_access.services.tokens import create_token
from payments.apply.apply import apply
from payments.apply.batch import FactSet
from payments.facts import ObjectRefs, PaymentFact, RefundFact
from payments.orders.models import Order
from payments.orders.opening import open_order
from tests.support.factories import NOON, UserFactory

PRICE = 4900


def make_module(slug: str = "drawing", **fields: Any) -> Module:
    """A module on sale."""
    usual = {"title": slug.title(), "price": PRICE, "currency": "eur", "url": f"https://{slug}.example/enter"}
    return Module.objects.create(slug=slug, **{**usual, **fields})


def make_learner(email: str = "ada@example.com", **fields: Any) -> User:
    """Has confirmed her address and reads English."""
    user: User = UserFactory.create(
        email=email, **{"name": "Ada", "language": "en", "email_confirmed_at": NOON, **fields}
    )
    return user


def make_purchase(user: User, module: Module, *, at: datetime = NOON) -> Purchase:
    """They have begun to buy it, and Stripe was not asked yet."""
    order = Order(
        kind="module", user=user, email=user.email, label=module.title, amount=module.price, currency=module.currency,
        created_at=at,
    )  # fmt: skip
    open_order(order, names=[], expires_at=None, at=at)
    return Purchase.objects.create(order=order, module=module, user=user, access_days=module.access_days, created_at=at)


def tell(order: Order, facts: Iterable[Any], *, at: datetime) -> None:
    """Let the road hear of it, as an event would."""
    (applied,) = apply([FactSet(facts=list(facts), source="evt_test", occurred_at=at)], at=at).applied
    assert applied.error is None


def payment_of(order: Order) -> str:
    """The PaymentIntent with which the order is paid in these tests."""
    return f"pi_{order.pk}"


def pay(order: Order, *, at: datetime = NOON) -> None:
    """The money of the order comes, in a session of its own."""
    attempt = order.checkouts.get(number=1)
    attempt.session = f"cs_test_{order.pk}"
    attempt.save()
    refs = ObjectRefs(order=str(order.public_id), session=attempt.session, payment_intent=payment_of(order), attempt=1)
    tell(order, [PaymentFact(refs, order.amount, order.currency, at)], at=at)
    order.refresh_from_db()


def give_back(order: Order, *, at: datetime = NOON + timedelta(hours=1)) -> None:
    """All of its money goes back."""
    refs = ObjectRefs(payment_intent=payment_of(order))
    refund = RefundFact(
        refs=refs, refund=f"re_{uuid4().hex}", amount=order.amount, currency=order.currency, status="succeeded",
        reason="", failure_reason="", occurred_at=at,
    )  # fmt: skip
    tell(order, [refund], at=at)
    order.refresh_from_db()


def make_buyer(user: User, module: Module, *, at: datetime = NOON) -> Purchase:
    """They have bought it, and it is paid."""
    purchase = make_purchase(user, module, at=at)
    pay(purchase.order, at=at)
    return purchase


def make_grant(user: User, module: Module, *, expires_at: datetime | None = None, at: datetime = NOON) -> ModuleAccess:
    """Given by staff."""
    return grant_access(user=user, module=module, expires_at=expires_at, reason="a prize", by="staff", at=at)


def make_token(
    user: User, module: Module, *, uses: int = 100, life: timedelta = timedelta(hours=72), at: datetime = NOON,
    **rests_on: Any,
) -> AccessToken:  # fmt: skip
    """Made by staff, or resting on `order=` or `grant=`."""
    return create_token(
        user=user, module=module, access_level="standard", expires_at=at + life, max_usage=uses, at=at,
        reason="a test", **rests_on,
    )  # fmt: skip
