"""Refunds are effects: asked for in the transaction that wants them, carried out later, once (docs/adr/0007).

Nothing about the money is written here: Stripe's own events tell what became of it.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from payments.actions.refunds_asked import KIND, Left, Owner, left_to_refund, owned_by
from payments.billing.models import Payment
from payments.effects.models import Effect
from payments.effects.note import Note, note
from payments.effects.registry import Skip, delivers
from payments.money import format_amount
from payments.orders.models import Order
from payments.orders.references import Reference
from payments.statuses import EffectStatus
from payments.stripe_api.gateway import GatewayRefused, RefundReason, create_refund, list_refunds
from payments.stripe_api.snapshots import Refund

log = structlog.get_logger(__name__)

AT_ONCE = timedelta(0)
LONGEST_REASON = 500
INTENT = "pi_"
GONE = Skip(gettext_noop("The payment no longer exists."))
NOTHING_LEFT = Skip(gettext_noop("Nothing is left of this payment to refund."))
REFUNDED_ELSEWHERE = Skip(gettext_noop("Stripe says that all of this payment has been refunded already."))


class RefundTooLarge(ValueError):
    """More was asked for than is left, or no amount at all; the text says how much there is."""


class NoPaymentIntent(RuntimeError):
    """Stripe has named no PaymentIntent for this money: it can only be refunded in the Stripe Dashboard."""


def ask_refund(
    *,
    owner: Owner,
    reason: str,
    key: str,
    at: datetime,
    amount: int | None = None,
    payment: str = "",
    but: Collection[str] = (),
    by: str = "",
    is_duplicate: bool = False,
) -> list[str]:
    """Ask for money to go back, in the caller's transaction. Returns the keys of the effects that are new.

    `amount` in minor units of the payment's currency (of several: the order's), None = all that is left then.
    `payment`: only of this one (its key); `but`: none of these. `key`: what makes it the same refund, at most 120
    characters; asked for twice it happens once. `reason`, `by`: why and who, for people. Where no money is left nothing
    is asked for. Raises RefundTooLarge.
    """
    notes = refund_notes(
        owner=owner, reason=reason, key=key, at=at, amount=amount, payment=payment, but=but, by=by,
        is_duplicate=is_duplicate,
    )  # fmt: skip
    return note(notes, at=at)


def refund_notes(
    *,
    owner: Owner,
    reason: str,
    key: str,
    at: datetime,
    amount: int | None = None,
    payment: str = "",
    but: Collection[str] = (),
    by: str = "",
    is_duplicate: bool = False,
    patience: timedelta = AT_ONCE,
) -> list[Note]:
    """As `ask_refund`, for who notes effects together with others: one for each payment that has money left."""
    begins = f"{KIND}:{name_of(owner)}:{key}:"
    known = _known(owner, begins=begins)
    if known and amount is not None:
        return []
    left = [each for each in left_to_refund(owner) if payment in ("", each.payment.key) and each.payment.key not in but]
    currency = left[0].payment.currency if payment and left else owner.currency
    shares = [(each.payment, None) for each in left] if amount is None else _shares(left, amount, currency=currency)
    data = {"reason": reason[:LONGEST_REASON], "by": by, "is_duplicate": is_duplicate}
    return [
        Note(
            key=f"{begins}{row.pk}",
            kind=KIND,
            order_id=owner.pk if isinstance(owner, Order) else None,
            subscription_id=None if isinstance(owner, Order) else owner.pk,
            data={**data, "payment": row.key, "amount": share},
            not_before=at + patience,
        )
        for row, share in shares
        if f"{begins}{row.pk}" not in known
    ]


def name_of(owner: Owner) -> str:
    """What its refunds go by, ever."""
    return str(owner.public_id) if isinstance(owner, Order) else owner.stripe_id


@delivers(KIND, repeatable=True)
def deliver_refund(effect: Effect) -> Skip | None:
    """Refund at Stripe under the effect's own key, and keep which refund came of it.

    Raises GatewayUnavailable or GatewayRefused: tried again with the same key, in the end given up and shown to staff.
    """
    payment = Payment.objects.select_related("order").filter(key=effect.data["payment"]).first()
    if payment is None:
        return GONE
    intent = _intent_of(payment)
    # How an earlier try has ended is unknown, and Stripe keeps its key for a day only: look before repeating it.
    given = _find_ours(effect, intent) if effect.attempts > 1 else None
    if given is None and payment.left == 0:
        return NOTHING_LEFT
    given = given or _refund(effect, payment, intent)
    if given is None:
        return REFUNDED_ELSEWHERE
    Effect.objects.filter(pk=effect.pk).update(data={**effect.data, "refund": given.id})
    log.info("refund.made", order=effect.order_id, effect=effect.key, refund=given.id, amount=given.amount)
    return None


def _known(owner: Owner, *, begins: str) -> set[str]:
    """The effects of this refund that were, or will be, carried out; a skipped one may be wanted again."""
    rows = Effect.objects.filter(**owned_by(owner), kind=KIND, key__startswith=begins)
    rows = rows.exclude(status=EffectStatus.SKIPPED)
    return set(rows.values_list("key", flat=True))


def _shares(left: list[Left], amount: int, *, currency: str) -> list[tuple[Payment, int | None]]:
    """Which payment gives how much, the latest first. Raises RefundTooLarge."""
    usable = [each for each in left if each.payment.currency == currency]
    most = sum(each.amount for each in usable)
    if not 0 < amount <= most:
        told = {"amount": format_amount(amount, currency), "most": format_amount(most, currency)}
        raise RefundTooLarge(_("%(amount)s cannot be refunded: %(most)s is left.") % told)
    shares: list[tuple[Payment, int | None]] = []
    for each in usable:
        share = min(amount, each.amount)
        amount -= share
        shares += [(each.payment, share)] if share else []
    return shares


def _intent_of(payment: Payment) -> str:
    """The PaymentIntent that brought it: the payment itself, or what paid the invoice. Raises NoPaymentIntent."""
    if payment.key.startswith(INTENT):
        return payment.key
    names = Reference.objects.filter(subscription=payment.subscription_id, payment=payment.key, name__startswith=INTENT)
    known = list(names.values_list("name", flat=True)[:2]) if payment.subscription_id else []
    if len(known) != 1:
        raise NoPaymentIntent(f"{payment.key} is no PaymentIntent: refund it in the Stripe Dashboard")
    return known[0]


def _refund(effect: Effect, payment: Payment, intent: str) -> Refund | None:
    """What Stripe makes of it; None: somebody else has refunded all of the payment before."""
    names = {"site": settings.SITE_NAME, "effect": effect.key}
    if payment.order:
        names["orderId"] = str(payment.order.public_id)
    reason: RefundReason = "duplicate" if effect.data["is_duplicate"] else "requested_by_customer"
    try:
        return create_refund(
            payment_intent=intent, amount=effect.data["amount"], reason=reason, metadata=names,
            idempotency_key=effect.key,
        )  # fmt: skip
    except GatewayRefused as refusal:
        log.warning("refund.refused", effect=effect.key, code=refusal.code, request_id=refusal.request_id)
        if refusal.code != "charge_already_refunded":
            raise
    return _find_ours(effect, intent)


def _find_ours(effect: Effect, intent: str) -> Refund | None:
    """The refund at Stripe that this effect has brought about, if it has."""
    refunds = list_refunds(payment_intent=intent)
    return next((refund for refund in refunds if refund.effect == effect.key), None)
