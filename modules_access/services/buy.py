"""Leads a person to the Checkout of a module: at most one order that waits, and nothing bought twice."""

from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from modules_access.models import ORDER_KIND, AccessType, Module, ModuleAccess, Purchase
from payments.checkout.attempts import OrderNotPayable
from payments.checkout.open_checkout import confirm_free, open_checkout
from payments.cleanup.decide import close_unless_paid
from payments.orders.models import Order
from payments.orders.opening import open_order
from payments.statuses import AWAITING_PAYMENT, OrderStatus

log = structlog.get_logger(__name__)
SOURCE = "modules"
# Each attempt ends because something of the same person was decided elsewhere at that very moment.
MAX_ATTEMPTS = 3


class NotOnSale(Exception):
    """The module is not sold (any more)."""


class AlreadyBought(Exception):
    """The person has bought it, and what was bought lasts."""


class PaymentUnderWay(Exception):
    """A payment of the same person for the same module is on its way: a second one would be paid twice."""


def buy(*, user: User, module: Module, at: datetime) -> str:
    """The address at which the person pays, always the same while its page is open; "" where it is theirs at once.

    Not to be called inside a transaction. Raises NotOnSale, AlreadyBought, PaymentUnderWay, GatewayUnavailable,
    GatewayRefused: then nothing was charged.
    """
    for _attempt in range(MAX_ATTEMPTS):
        for other in waiting_orders(user, module).exclude(**_price_columns(module)).order_by("pk"):
            if not close_unless_paid(order_id=other.pk, at=at, source=SOURCE):
                raise PaymentUnderWay(module.title)
        order = _find_or_make_order(user, module, at=at)
        if order is None:
            continue
        if confirm_free(order=order, at=at):
            return ""
        if url := _checkout_address(order, at=at):
            return url
    raise PaymentUnderWay(module.title)


def resume(*, order_id: int, at: datetime) -> str:
    """The address at which an order that was begun can be paid; "" where there is nothing to pay (any more).

    Not to be called inside a transaction. Raises GatewayUnavailable, GatewayRefused.
    """
    order = Order.objects.get(pk=order_id)
    return "" if confirm_free(order=order, at=at) else _checkout_address(order, at=at)


def waiting_orders(user: User, module: Module) -> QuerySet[Order]:
    """What the person has begun to buy and can still pay."""
    return Order.objects.filter(module_purchase__user=user, module_purchase__module=module, status__in=AWAITING_PAYMENT)


def _checkout_address(order: Order, *, at: datetime) -> str:
    """ "" where it was paid or closed a moment ago: the next attempt finds out."""
    try:
        url = open_checkout(order_id=order.pk, at=at).url
    except OrderNotPayable as reason:
        log.info("module.not_payable", order=order.pk, reason=str(reason))
        return ""
    log.info("module.checkout", order=order.pk)
    return url


@transaction.atomic(durable=True)
def _find_or_make_order(user: User, module: Module, *, at: datetime) -> Order | None:
    """The one order that waits, or a new one. None: another tab has begun something meanwhile."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    fresh = Module.objects.get(pk=module.pk)
    if not fresh.is_on_sale:
        raise NotOnSale(fresh.title)
    # Locked: what was looked at first must not move before what is looked at last, else one pays twice.
    mine = Order.objects.filter(module_purchase__user=user, module_purchase__module=module).order_by("pk")
    orders = list(mine.select_for_update(no_key=True, of=["self"]))
    if ModuleAccess.objects.open(at).filter(user=user, module=module, access_type=AccessType.PURCHASE).exists():
        raise AlreadyBought(fresh.title)
    if any(order.status == OrderStatus.PROCESSING for order in orders):
        raise PaymentUnderWay(fresh.title)
    waiting = [order for order in orders if order.status in AWAITING_PAYMENT]
    if same := [order for order in waiting if (order.amount, order.currency) == (fresh.price, fresh.currency)]:
        return same[0]
    if waiting or _price_columns(fresh) != _price_columns(module):
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


def _price_columns(module: Module) -> dict[str, object]:
    """What was begun before the price changed is something else."""
    return {"amount": module.price, "currency": module.currency}
