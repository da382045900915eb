"""What an account shows of its orders: each with its number, its sum, where it stands, and its receipt."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.hooks import AccountExtension, Section, extend_accounts
from accounts.models import User
from payments.orders.models import Order
from payments.products import all_products
from payments.statuses import CLOSED_STATUSES, OrderStatus

MAX_LINES = 50
TINTS = {OrderStatus.PAID: "good", OrderStatus.REFUNDED: "off", OrderStatus.FAILED: "none"}


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One order; `receipt`: a path, "" while there is none."""

    order: Order
    tint: str
    receipt: str


class OwnOrders(AccountExtension):
    """Every order that was paid or still can be, the newest first; a statement for each kind of what is sold."""

    def account_section(self, user: User, *, at: datetime) -> Section | None:
        own = Q(user=user) | (Q(email=user.email) if user.email_confirmed_at else Q(pk__in=()))
        orders = list(Order.objects.filter(own).exclude(status__in=CLOSED_STATUSES).order_by("-pk")[:MAX_LINES])
        if not orders:
            return None
        receipts = _receipts(orders)
        lines = [
            OrderLine(order, TINTS.get(OrderStatus(order.status), "few"), receipts.get(order.pk, ""))
            for order in orders
        ]
        return Section(_("Your payments"), "payments/own_orders.html", {"lines": lines})


def _receipts(orders: Sequence[Order]) -> dict[int, str]:
    by_kind = defaultdict(list)
    for order in orders:
        by_kind[order.kind].append(order)
    found: dict[int, str] = {}
    for product in all_products():
        if rows := by_kind.get(product.kind):
            found.update(product.receipts_of(rows))
    return found


extend_accounts(OwnOrders())
