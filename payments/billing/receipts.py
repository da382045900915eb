"""Receipts: numbered 1, 2, 3, … without a gap, one for each order that was paid."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from accounts.shop.identity import current_shop
from payments.billing.models import Payment, Receipt
from payments.locks import wait_for_advisory_lock
from payments.statuses import WAS_PAID

if TYPE_CHECKING:
    from payments.orders.models import Order


class NothingPaid(Exception):
    """The order has no payment to acknowledge."""


def seller() -> dict[str, object]:
    """Who sells, for the templates of receipts: by the shop, or where that is silent by the settings."""
    shop = current_shop()
    configured = [line.strip() for line in settings.SELLER_ADDRESS.split("|") if line.strip()]
    return {
        "seller": shop.legal_entity or shop.name or settings.SELLER_NAME,
        "seller_lines": list(shop.address) or configured,
        "seller_contact": [each for each in (shop.email, shop.phone) if each],
        "vat_note": settings.SELLER_VAT_NOTE,
    }


def receipt_for(order_id: int, at: datetime) -> Receipt:
    """The receipt of a paid order, which gets the next number when it is asked for first. Raises NothingPaid."""
    return find_receipt(order_id) or _issue(order_id, at=at)


def find_receipt(order_id: int) -> Receipt | None:
    """The receipt that the order has already."""
    return Receipt.objects.filter(order_id=order_id).first()


@transaction.atomic
def _issue(order_id: int, *, at: datetime) -> Receipt:
    paid = Payment.objects.filter(order_id=order_id, order__status__in=WAS_PAID, received__gt=0)
    if not paid.exists():
        raise NothingPaid(f"order {order_id}")
    number = next_number()
    if known := find_receipt(order_id):
        return known
    return Receipt.objects.create(number=number, order_id=order_id, issued_at=at)


def next_number() -> int:
    """The number of the next receipt, and nobody else gets one until the transaction ends.

    A number that is rolled back is taken by the next one: a sequence would leave a gap.
    """
    wait_for_advisory_lock("receipt number")
    return (Receipt.objects.aggregate(last=Max("number"))["last"] or 0) + 1


def receipt_context(order: "Order", *, at: datetime) -> dict[str, Any]:
    """The receipt of a paid order, which gets its number when it is asked for first. Raises NothingPaid."""
    return {
        "order": order,
        "receipt": receipt_for(order.pk, at),
        "refunded": order.refunded_text,
        **seller(),
    }
