"""Refunds are effects: asked for in the transaction that wants them, carried out later, once (docs/adr/0007).

Nothing about the money is written here: Stripe's own events tell what became of it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from payments.billing.models import Dispute, Payment, Refund, Subscription
from payments.effects.deliver import Skip, delivers
from payments.effects.enqueue import EffectRequest
from payments.effects.models import Effect
from payments.money import format_amount
from payments.names import REFUND_KIND
from payments.orders.models import Order, Reference
from payments.statuses import REFUND_UNDONE, DisputePhase, EffectStatus
from payments.stripe_api.gateway import GatewayRefused, RefundReason, create_refund, list_refunds
from payments.stripe_api.snapshots import StripeRefund

# Whom money belongs to.
Owner = Order | Subscription
PaymentOrEffect = TypeVar("PaymentOrEffect", Effect, Payment)


@dataclass(frozen=True, slots=True)
class Refundable:
    """Of this payment so much (minor units of its currency, more than 0) has neither gone back nor been asked back."""

    payment: Payment
    amount: int

    def is_asked(self, payment: str, exclude: Collection[str]) -> bool:
        """Whether it is this payment ("": any), and none of those that are left out."""
        return payment in ("", self.payment.key) and self.payment.key not in exclude


def owned_by(owner: Owner) -> dict[str, Any]:
    """The condition that finds what belongs to it."""
    return {"order": owner} if isinstance(owner, Order) else {"subscription": owner}


def left_to_refund(owner: Owner) -> list[Refundable]:
    """What can still be asked back, the latest payment first: it is the one too many. Refunds given up do not count."""
    asked = _under_way(owner)
    payments = _with_money(**owned_by(owner)).order_by("-paid_at", "-pk")
    return [Refundable(payment, left) for payment in payments if (left := _left_of(payment, asked)) > 0]


def charged_back(owner: Owner) -> set[str]:
    """The payments whose money the bank has taken, for the time being or for good: none of it can go back twice.

    An inquiry has taken none yet: a refund is one way to settle it.
    """
    rows = Dispute.objects.filter(**owned_by(owner), phase__in=[DisputePhase.OPEN, DisputePhase.LOST])
    return set(rows.values_list("payment", flat=True))


def is_under_way(owner: Owner) -> bool:
    """Whether money of the order or subscription may be on its way back at this moment."""
    return bool(_under_way(owner))


def going_back(order_ids: Collection[int]) -> set[int]:
    """The orders of which all the money that is here has been asked back.

    A refund that was given up counts too: only a person can say what becomes of that money.
    """
    if not order_ids:
        return set()
    asked = _by_order(_not_heard_of(order_id__in=order_ids))
    payments = _by_order(_with_money(order_id__in=order_ids)) if asked else {}
    return {
        order_id
        for order_id, here in payments.items()
        if order_id and not any(_left_of(payment, asked.get(order_id, [])) for payment in here)
    }


def _under_way(owner: Owner) -> list[Effect]:
    return [effect for effect in _not_heard_of(**owned_by(owner)) if effect.status != EffectStatus.DEAD]


def _not_heard_of(**whose: Any) -> list[Effect]:
    """The refunds whose money still counts as here: what Stripe has told of stands in the payment itself."""
    effects = Effect.objects.filter(kind=REFUND_KIND, **whose).exclude(status=EffectStatus.SKIPPED)
    known = set(Refund.objects.filter(**whose).values_list("stripe_id", flat=True)) if effects else set()
    return [effect for effect in effects if effect.data.get("refund") not in known]


def _with_money(**whose: Any) -> QuerySet[Payment]:
    return Payment.objects.filter(**whose, received__gt=F("refunded"))


def _by_order(rows: Iterable[PaymentOrEffect]) -> dict[int | None, list[PaymentOrEffect]]:
    found: dict[int | None, list[PaymentOrEffect]] = defaultdict(list)
    for row in rows:
        found[row.order_id].append(row)
    return found


def _left_of(payment: Payment, asked: Iterable[Effect]) -> int:
    """What came by another way than Stripe cannot go back through it."""
    amounts = [effect.data["amount"] for effect in asked if effect.data["payment"] == payment.key]
    # None: everything.
    return 0 if None in amounts else max(0, payment.here - payment.off_stripe - sum(amounts))


log = structlog.get_logger(__name__)

NO_DELAY = timedelta(0)
MAX_REASON_LENGTH = 500
PAYMENT_INTENT_PREFIX = "pi_"
PAYMENT_GONE = Skip(gettext_noop("The payment no longer exists."))
NOTHING_LEFT = Skip(gettext_noop("Nothing is left of this payment to refund."))
REFUNDED_ELSEWHERE = Skip(gettext_noop("Stripe says that all of this payment has been refunded already."))


class RefundTooLarge(ValueError):
    """More was asked for than is left, or no amount at all; the text says how much there is."""


class NoPaymentIntent(RuntimeError):
    """Stripe has named no PaymentIntent for this money: it can only be refunded in the Stripe Dashboard."""


def refund_requests(
    *,
    owner: Owner,
    reason: str,
    key: str,
    at: datetime,
    amount: int | None = None,
    payment: str = "",
    exclude: Collection[str] = (),
    by: str = "",
    is_duplicate: bool = False,
    delay: timedelta = NO_DELAY,
) -> list[EffectRequest]:
    """What asks for money to go back: one effect for each payment that has money left, to be enqueued by the caller.

    `amount` in minor units of the payment's currency (of several: the order's), None = all that is left then.
    `payment`: only of this one (its key); `exclude`: none of these. `key`: what makes it the same refund, at most 120
    characters; asked for twice it happens once. `reason`, `by`: why and who, for people. Where no money is left nothing
    is asked for. Raises RefundTooLarge.
    """
    begins = f"{REFUND_KIND}:{name_of(owner)}:{key}:"
    known = _known(owner, begins=begins)
    if known and amount is not None:
        return []
    left = [each for each in left_to_refund(owner) if each.is_asked(payment, exclude)]
    currency = left[0].payment.currency if payment and left else owner.currency
    shares = [(each.payment, None) for each in left] if amount is None else _shares(left, amount, currency=currency)
    data = {"reason": reason[:MAX_REASON_LENGTH], "by": by, "is_duplicate": is_duplicate}
    return [
        EffectRequest(
            key=f"{begins}{row.pk}",
            kind=REFUND_KIND,
            order_id=owner.pk if isinstance(owner, Order) else None,
            subscription_id=None if isinstance(owner, Order) else owner.pk,
            data={**data, "payment": row.key, "amount": share},
            not_before=at + delay,
        )
        for row, share in shares
        if f"{begins}{row.pk}" not in known
    ]


def name_of(owner: Owner) -> str:
    """What its refunds go by, ever."""
    return str(owner.public_id) if isinstance(owner, Order) else owner.stripe_id


@delivers(REFUND_KIND, repeatable=True)
def deliver_refund(effect: Effect) -> Skip | None:
    """StripeRefund at Stripe under the effect's own key, and keep which refund came of it.

    Raises GatewayUnavailable or GatewayRefused: tried again with the same key, in the end given up and shown to staff.
    """
    payment = Payment.objects.select_related("order").filter(key=effect.data["payment"]).first()
    if payment is None:
        return PAYMENT_GONE
    intent = _intent_of(payment)
    # How an earlier try has ended is unknown, and Stripe keeps its key for a day only: look before repeating it.
    given = _find_ours(effect, intent) if effect.attempts > 1 or "again" in effect.data else None
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
    rows = Effect.objects.filter(**owned_by(owner), kind=REFUND_KIND, key__startswith=begins)
    rows = rows.exclude(status=EffectStatus.SKIPPED)
    return set(rows.values_list("key", flat=True))


def _shares(left: list[Refundable], amount: int, *, currency: str) -> list[tuple[Payment, int | None]]:
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
    if payment.key.startswith(PAYMENT_INTENT_PREFIX):
        return payment.key
    names = Reference.objects.filter(
        subscription=payment.subscription_id, payment=payment.key, name__startswith=PAYMENT_INTENT_PREFIX
    )
    known = list(names.values_list("name", flat=True)[:2]) if payment.subscription_id else []
    if len(known) != 1:
        raise NoPaymentIntent(f"{payment.key} is no PaymentIntent: refund it in the Stripe Dashboard")
    return known[0]


def _refund(effect: Effect, payment: Payment, intent: str) -> StripeRefund | None:
    """What Stripe makes of it; None: somebody else has refunded all of the payment before."""
    names = {"site": settings.SITE_NAME, "effect": effect.key}
    if payment.order:
        names["orderId"] = str(payment.order.public_id)
    reason: RefundReason = "duplicate" if effect.data["is_duplicate"] else "requested_by_customer"
    again = effect.data.get("again")
    try:
        return create_refund(
            payment_intent=intent, amount=effect.data["amount"], reason=reason, metadata=names,
            # Under the same key Stripe would repeat a refusal for a day, whatever has changed meanwhile.
            idempotency_key=f"{effect.key}:{again}" if again else effect.key,
        )  # fmt: skip
    except GatewayRefused as refusal:
        log.warning("refund.refused", effect=effect.key, code=refusal.code, stripe_request=refusal.request_id)
        if refusal.code != "charge_already_refunded":
            _keep_refusal(effect, refusal)
            raise
    return _find_ours(effect, intent)


def _keep_refusal(effect: Effect, refusal: GatewayRefused) -> None:
    """It is owed from now on, and asked for as something new when it is tried again."""
    since = effect.data.get("owed_since") or (effect.claimed_at or effect.not_before).isoformat()
    again = effect.data.get("again", 0) + 1
    effect.data = {**effect.data, "again": again, "code": refusal.code, "owed_since": since}
    Effect.objects.filter(pk=effect.pk).update(data=effect.data)


def _find_ours(effect: Effect, intent: str) -> StripeRefund | None:
    """The refund at Stripe that this effect has brought about, if it has; one that failed has brought about nothing."""
    refunds = list_refunds(payment_intent=intent)
    return next((each for each in refunds if each.effect == effect.key and each.status not in REFUND_UNDONE), None)
