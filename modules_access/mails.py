"""The mails about a bought module: which one the state asks for, once per key; and what each says.

Each looks at the state as it is when it is written, and is skipped if that has moved on.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from modules_access.links import encours_url, receipt_url
from modules_access.models import AccessType, ModuleAccess, Purchase
from payments.effects.deliver import Deliver, Skip
from payments.effects.enqueue import EffectRequest
from payments.effects.mail import Mail, mails, one_line
from payments.effects.models import Effect
from payments.orders.decline_reasons import decline_reason_of
from payments.orders.models import Order
from payments.orders.money_in_words import refunded_in_words
from payments.statuses import DisputeState, OrderStatus

SKIP_ROW_MISSING = Skip(gettext_noop("The purchase no longer exists."))
SKIP_STATE_CHANGED = Skip(gettext_noop("The purchase has moved on meanwhile."))
SKIP_BOUGHT = Skip(gettext_noop("Another payment has bought the module."))
SKIP_MONEY_HERE = Skip(gettext_noop("A payment has arrived that staff are looking into."))

Write = Callable[[Purchase, Effect], Mail | Skip]


def message_for(purchase: Purchase, order: Order) -> EffectRequest | None:
    """The message of the order's state; None where there is nothing to say."""
    match order.status:
        case OrderStatus.PAID if order.dispute_state != DisputeState.LOST:
            return order.message("module.opened", key=f"{order.pk}", purchase=purchase.pk)
        case OrderStatus.REFUNDED:
            return order.message("module.refunded", key=f"{order.pk}", purchase=purchase.pk)
        case OrderStatus.FAILED:
            return order.message_of_failure("module.failed", purchase=purchase.pk)
    return None


def mails_about(kind: str) -> Callable[[Write], Deliver]:
    """Like `mails`, for a function that gets the purchase too, with its order, module and buyer."""

    def register(write: Write) -> Deliver:
        @mails(kind)
        @wraps(write)
        def write_about(effect: Effect) -> Mail | Skip:
            rows = Purchase.objects.select_related("order", "module", "user")
            row = rows.filter(pk=effect.data["purchase"]).first()
            return write(row, effect) if row else SKIP_ROW_MISSING

        return write_about

    return register


@mails_about("module.opened")
def opened(row: Purchase, effect: Effect) -> Mail | Skip:
    """With the end of the access as it is now: staff may have extended it, or taken it back."""
    access = ModuleAccess.objects.filter(order=row.order_id, is_active=True).first()
    if not (row.order.has_money and access):
        return SKIP_STATE_CHANGED
    return _mail(row, until=access.expires_at, receipt=receipt_url(row.order))


@mails_about("module.failed")
def failed(row: Purchase, effect: Effect) -> Mail | Skip:
    """Of a delayed method's two failures, as a charge and as a session, the charge's mail tells the reason."""
    order = row.order
    if not (order.status == OrderStatus.FAILED and order.has_failure_of(effect)):
        return SKIP_STATE_CHANGED
    if skip := order.enough_of_failures(effect):
        return skip
    if order.amount_received:
        return SKIP_MONEY_HERE
    if _is_bought_otherwise(row):
        return SKIP_BOUGHT
    return _mail(row, reason=decline_reason_of(order))


@mails_about("module.refunded")
def refunded(row: Purchase, effect: Effect) -> Mail | Skip:
    if row.order.status != OrderStatus.REFUNDED:
        return SKIP_STATE_CHANGED
    still_open = ModuleAccess.objects.open(effect.delivery_at).filter(user=row.user, module=row.module).exists()
    refunded = refunded_in_words(row.order)
    return _mail(row, refunded=refunded, receipt=receipt_url(row.order), still_open=still_open)


def _is_bought_otherwise(row: Purchase) -> bool:
    accesses = ModuleAccess.objects.filter(user=row.user, module=row.module, access_type=AccessType.PURCHASE)
    return accesses.filter(is_active=True).exclude(order=row.order_id).exists()


def _mail(row: Purchase, **context: Any) -> Mail:
    return Mail(
        to=(row.user.email,) if row.user.email else (),
        language=row.user.language or settings.LANGUAGE_CODE,
        context={
            "name": one_line(row.user.name),
            "module": row.module,
            "order": row.order,
            "link": encours_url(),
            **context,
        },
    )
