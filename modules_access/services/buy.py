"""Leads a person to the Checkout of a module: at most one order that waits, and nothing bought twice."""

from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from modules_access.models import ORDER_KIND, AccessType, Module, ModuleAccess, Purchase
from payments.checkout.open_checkout import confirm_free
from payments.orders.models import Order
from payments.orders.opening import open_order
from payments.purchasing import PaymentUnderWay, close_waiting_orders, find_checkout_url, lead_to_checkout
from payments.statuses import AWAITING_PAYMENT, OrderStatus

log = structlog.get_logger(__name__)
SOURCE = "modules"


class NotOnSale(Exception):
    """The module is not sold (any more)."""


class AlreadyBought(Exception):
    """The person has bought it, and what was bought lasts."""


def buy(*, user: User, module: Module, at: datetime) -> str:
    """The address at which the person pays, always the same while its page is open; "" where it is theirs at once.

    Not to be called inside a transaction. Raises NotOnSale, AlreadyBought, PaymentUnderWay, GatewayUnavailable,
    GatewayRefused: then nothing was charged.
    """

    def prepare_order() -> Order | None:
        close_waiting_orders(_orders_of(user, module).exclude(**_terms_of(module)), at=at, source=SOURCE)
        return _find_or_open_order(user, module, at=at)

    return lead_to_checkout(prepare_order, at=at)


def resume(*, order_id: int, at: datetime) -> str:
    """The address at which an order that was begun can be paid; "" where there is nothing to pay (any more).

    Not to be called inside a transaction. Raises GatewayUnavailable, GatewayRefused.
    """
    order = Order.objects.get(pk=order_id)
    return "" if confirm_free(order=order, at=at) else find_checkout_url(order, at=at)


@transaction.atomic(durable=True)
def _find_or_open_order(user: User, module: Module, *, at: datetime) -> Order | None:
    """The one order that waits, or a new one. None: another tab has begun something meanwhile."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    fresh = Module.objects.get(pk=module.pk)
    if not fresh.is_on_sale:
        raise NotOnSale(fresh.title)
    # Locked: what was looked at first must not move before what is looked at last, else one pays twice.
    orders = list(_orders_of(user, module).order_by("pk").select_for_update(no_key=True, of=["self"]))
    if ModuleAccess.objects.open(at).filter(user=user, module=module, access_type=AccessType.PURCHASE).exists():
        raise AlreadyBought(fresh.title)
    if any(order.status == OrderStatus.PROCESSING for order in orders):
        raise PaymentUnderWay(fresh.title)
    waiting = [order for order in orders if order.status in AWAITING_PAYMENT]
    if same := [order for order in waiting if (order.amount, order.currency) == (fresh.price, fresh.currency)]:
        return same[0]
    if waiting or _terms_of(fresh) != _terms_of(module):
        module.refresh_from_db()
        return None
    return _new_order(user, fresh, at=at)


def _new_order(user: User, module: Module, *, at: datetime) -> Order:
    order = Order(
        kind=ORDER_KIND, user=user, email=user.email, label=module.title, amount=module.price, currency=module.currency,
        livemode=settings.STRIPE_LIVEMODE, created_at=at,
    )  # fmt: skip
    open_order(order, names=[], expires_at=None, at=at)
    Purchase.objects.create(
        order=order, module=module, user=user, access_days=module.access_days, created_at=at
    )  # fmt: skip
    log.info("module.ordered", order=order.pk, module=module.slug, user=user.pk)
    return order


def _orders_of(user: User, module: Module) -> QuerySet[Order]:
    return Order.objects.filter(module_purchase__user=user, module_purchase__module=module)


def _terms_of(module: Module) -> dict[str, object]:
    """What was begun before the price changed is something else."""
    return {"amount": module.price, "currency": module.currency}
