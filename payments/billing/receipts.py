"""Receipts: numbered 1, 2, 3, … without a gap, one for each order that was paid and each payment of a subscription."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from accounts.shop.identity import current_shop
from payments.billing.models import Payment, Receipt
from payments.locks import wait_for_advisory_lock
from payments.money import day_in_words, format_amount
from payments.statuses import WAS_PAID

if TYPE_CHECKING:
    from payments.orders.models import Order


class NothingPaid(Exception):
    """There is no payment to acknowledge."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A receipt in words of its reader's language, for a page and for a PDF. `details`: what was bought, more closely;
    `refunded`: "" for nothing; `notes`: sentences below.
    """

    receipt: Receipt
    issued_on: str
    buyer: Sequence[str]
    paid_on: str
    order_number: str
    what: str
    details: str
    paid: str
    refunded: str
    left: str
    seller: str
    seller_lines: Sequence[str]
    seller_contact: Sequence[str]
    notes: Sequence[str] = field(default=())

    @property
    def title(self) -> str:
        return _("Receipt %(receipt)s") % {"receipt": self.receipt}


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


def receipt_for_payment(payment: Payment, *, at: datetime) -> Receipt:
    """The same for one payment of a subscription. Raises NothingPaid."""
    return Receipt.objects.filter(payment=payment).first() or _issue_for_payment(payment, at=at)


@transaction.atomic
def _issue(order_id: int, *, at: datetime) -> Receipt:
    paid = Payment.objects.filter(order_id=order_id, order__status__in=WAS_PAID, received__gt=0)
    if not paid.exists():
        raise NothingPaid(f"order {order_id}")
    number = next_number()
    if known := find_receipt(order_id):
        return known
    return Receipt.objects.create(number=number, order_id=order_id, issued_at=at)


@transaction.atomic
def _issue_for_payment(payment: Payment, *, at: datetime) -> Receipt:
    if not (payment.received and payment.subscription_id):
        raise NothingPaid(payment.key)
    number = next_number()
    if known := Receipt.objects.filter(payment=payment).first():
        return known
    return Receipt.objects.create(number=number, payment=payment, issued_at=at)


def next_number() -> int:
    """The number of the next receipt, and nobody else gets one until the transaction ends.

    A number that is rolled back is taken by the next one: a sequence would leave a gap.
    """
    wait_for_advisory_lock("receipt number")
    return (Receipt.objects.aggregate(last=Max("number"))["last"] or 0) + 1


def paper_of_order(order: "Order", *, buyer: Sequence[str], what: str, details: str, at: datetime) -> Paper:
    """The receipt of a paid order, which gets its number when it is asked for first. Raises NothingPaid."""
    return _paper(
        receipt_for(order.pk, at), buyer=buyer, paid_at=order.paid_at, order_number=order.number, what=what,
        details=details, paid=order.price, refunded=order.refunded_text,
        left=order.here_text if order.refunded_text else "", is_live=order.livemode,
    )  # fmt: skip


def paper_of_payment(payment: Payment, *, buyer: Sequence[str], at: datetime) -> Paper:
    """The same of a payment of a subscription, which comes with its subscription and plan. Raises NothingPaid."""
    row = payment.subscription
    if row is None:
        raise NothingPaid(payment.key)
    return _paper(
        receipt_for_payment(payment, at=at), buyer=buyer, paid_at=payment.paid_at, order_number="",
        what=row.plan.name if row.plan else _("Subscription"), details=_period(payment),
        paid=format_amount(payment.received, payment.currency),
        refunded=format_amount(payment.refunded, payment.currency) if payment.refunded else "",
        left=format_amount(payment.here, payment.currency) if payment.refunded else "",
        is_live=settings.STRIPE_LIVEMODE,
    )  # fmt: skip


def _paper(
    receipt: Receipt, *, buyer: Sequence[str], paid_at: datetime | None, order_number: str, what: str, details: str,
    paid: str, refunded: str, left: str, is_live: bool,
) -> Paper:  # fmt: skip
    told = seller()
    test = "" if is_live else _("Made in test mode: no real money moved.")
    return Paper(
        receipt=receipt,
        issued_on=day_in_words(receipt.issued_at),
        buyer=[line for line in buyer if line],
        paid_on=day_in_words(paid_at) if paid_at else "",
        order_number=order_number,
        what=what,
        details=details,
        paid=paid,
        refunded=refunded,
        left=left,
        seller=str(told["seller"]),
        seller_lines=list(told["seller_lines"]),  # type: ignore[call-overload]
        seller_contact=list(told["seller_contact"]),  # type: ignore[call-overload]
        notes=[note for note in (str(told["vat_note"]), test) if note],
    )


def _period(payment: Payment) -> str:
    if not (payment.period_start and payment.period_end):
        return ""
    return _("%(first)s to %(last)s") % {
        "first": day_in_words(payment.period_start),
        "last": day_in_words(payment.period_end),
    }
