"""Refunds are effects: asked for in the transaction that wants them, carried out later, once (docs/adr/0007).

Nothing about the money is written here: Stripe's own events tell what became of it.
"""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from payments.actions.refunds_asked import KIND, Left, left_to_refund
from payments.billing.models import Payment
from payments.effects.models import Effect
from payments.effects.note import Note, note
from payments.effects.registry import Skip, delivers
from payments.money import format_amount
from payments.orders.models import Order
from payments.statuses import EffectStatus
from payments.stripe_api.gateway import GatewayRefused, RefundReason, create_refund, list_refunds
from payments.stripe_api.snapshots import Refund

log = structlog.get_logger(__name__)

AT_ONCE = timedelta(0)
LONGEST_REASON = 500
GONE = Skip(gettext_noop("The payment no longer exists."))
NOTHING_LEFT = Skip(gettext_noop("Nothing is left of this payment to refund."))
REFUNDED_ELSEWHERE = Skip(gettext_noop("Stripe says that all of this payment has been refunded already."))


class RefundTooLarge(ValueError):
    """More was asked for than is left, or no amount at all; the text says how much there is."""


class NoPaymentIntent(RuntimeError):
    """Stripe has named no PaymentIntent for this money: it can only be refunded in the Stripe Dashboard."""


def ask_refund(
    *,
    order: Order,
    reason: str,
    key: str,
    at: datetime,
    amount: int | None = None,
    payment: str = "",
    by: str = "",
    is_duplicate: bool = False,
) -> list[str]:
    """Ask for money of the order to go back, in the caller's transaction. Returns the keys of the effects that are new.

    `amount` in minor units of the order's currency, None = all that is left then. `payment`: only of this one (its
    key). `key`: what makes it the same refund, at most 120 characters; asked for twice it happens once. `reason`, `by`:
    why and who, for people. An order without money left asks for nothing. Raises RefundTooLarge.
    """
    notes = refund_notes(
        order=order, reason=reason, key=key, at=at, amount=amount, payment=payment, by=by, is_duplicate=is_duplicate
    )
    return note(notes, at=at)


def refund_notes(
    *,
    order: Order,
    reason: str,
    key: str,
    at: datetime,
    amount: int | None = None,
    payment: str = "",
    by: str = "",
    is_duplicate: bool = False,
    patience: timedelta = AT_ONCE,
) -> list[Note]:
    """As `ask_refund`, for who notes effects together with others: one for each payment that has money left."""
    begins = f"{KIND}:{order.public_id}:{key}:"
    known = _known(order, begins=begins)
    if known and amount is not None:
        return []
    left = [each for each in left_to_refund(order) if payment in ("", each.payment.key)]
    shares = [(each.payment, None) for each in left] if amount is None else _shares(order, left, amount=amount)
    data = {"reason": reason[:LONGEST_REASON], "by": by, "is_duplicate": is_duplicate}
    return [
        Note(
            key=f"{begins}{row.pk}",
            kind=KIND,
            order_id=order.pk,
            data={**data, "payment": row.key, "amount": share},
            not_before=at + patience,
        )
        for row, share in shares
        if f"{begins}{row.pk}" not in known
    ]


@delivers(KIND, repeatable=True)
def deliver_refund(effect: Effect) -> Skip | None:
    """Refund at Stripe under the effect's own key, and keep which refund came of it.

    Raises GatewayUnavailable or GatewayRefused: tried again with the same key, in the end given up and shown to staff.
    """
    payment = Payment.objects.select_related("order").filter(key=effect.data["payment"]).first()
    if payment is None:
        return GONE
    # How an earlier try has ended is unknown, and Stripe keeps its key for a day only: look before repeating it.
    given = _find_ours(effect) if effect.attempts > 1 else None
    if given is None and payment.left == 0:
        return NOTHING_LEFT
    given = given or _refund(effect, payment)
    if given is None:
        return REFUNDED_ELSEWHERE
    Effect.objects.filter(pk=effect.pk).update(data={**effect.data, "refund": given.id})
    log.info("refund.made", order=effect.order_id, effect=effect.key, refund=given.id, amount=given.amount)
    return None


def _known(order: Order, *, begins: str) -> set[str]:
    """The effects of this refund that were, or will be, carried out; a skipped one may be wanted again."""
    rows = Effect.objects.filter(order=order, kind=KIND, key__startswith=begins).exclude(status=EffectStatus.SKIPPED)
    return set(rows.values_list("key", flat=True))


def _shares(order: Order, left: list[Left], *, amount: int) -> list[tuple[Payment, int | None]]:
    """Which payment gives how much, the latest first. Raises RefundTooLarge."""
    usable = [each for each in left if each.payment.currency == order.currency]
    most = sum(each.amount for each in usable)
    if not 0 < amount <= most:
        told = {"amount": format_amount(amount, order.currency), "most": format_amount(most, order.currency)}
        raise RefundTooLarge(_("%(amount)s cannot be refunded: %(most)s is left.") % told)
    shares: list[tuple[Payment, int | None]] = []
    for each in usable:
        share = min(amount, each.amount)
        amount -= share
        shares += [(each.payment, share)] if share else []
    return shares


def _refund(effect: Effect, payment: Payment) -> Refund | None:
    """What Stripe makes of it; None: somebody else has refunded all of the payment before."""
    if not payment.key.startswith("pi_"):
        raise NoPaymentIntent(f"{payment.key} is no PaymentIntent: refund it in the Stripe Dashboard")
    names = {"orderId": str(payment.order.public_id), "site": settings.SITE_NAME, "effect": effect.key}
    reason: RefundReason = "duplicate" if effect.data["is_duplicate"] else "requested_by_customer"
    try:
        return create_refund(
            payment_intent=payment.key, amount=effect.data["amount"], reason=reason, metadata=names,
            idempotency_key=effect.key,
        )  # fmt: skip
    except GatewayRefused as refusal:
        log.warning("refund.refused", effect=effect.key, code=refusal.code, request_id=refusal.request_id)
        if refusal.code != "charge_already_refunded":
            raise
    return _find_ours(effect)


def _find_ours(effect: Effect) -> Refund | None:
    """The refund at Stripe that this effect has brought about, if it has."""
    refunds = list_refunds(payment_intent=effect.data["payment"])
    return next((refund for refund in refunds if refund.effect == effect.key), None)
