"""What a refund brings about once Stripe has made it: asked for and told, both for real, and rolled back."""

from datetime import datetime

from django.db import transaction

from payments.apply.apply import apply
from payments.apply.batch import FactSet
from payments.apply.outcome import Outcome, outcome_of
from payments.billing.models import Payment, Subscription
from payments.effects.enqueue import EffectRequest, enqueue
from payments.facts import ObjectRefs, RefundFact
from payments.refunds.refund import Owner, charged_back, refund_requests
from payments.sql import kept_or_untold, watching
from payments.statuses import RefundStatus

SOURCE = "preview"
# What Stripe will call it nobody knows yet.
REFUND = "re_preview"


def outcome_of_refund(owner: Owner, *, amount: int | None, at: datetime, payment: str = "") -> Outcome:
    """All that comes of it; `amount` in minor units, None: all that is left (of `payment`, if that is said).

    Raises RefundTooLarge.
    """
    with kept_or_untold():
        with watching() as asked:
            requests = refund_requests(
                owner=owner, payment=payment, exclude=charged_back(owner), amount=amount, reason=SOURCE, key=SOURCE,
                at=at,
            )  # fmt: skip
            enqueue(requests, at=at)
            outcome = outcome_of(asked)
        with watching() as told:
            facts = [_as_stripe_will_tell(each, owner, at=at) for each in requests]
            apply([FactSet([fact], source=SOURCE, occurred_at=at) for fact in facts], at=at)
            told.changes = [row for row in told.changes if REFUND not in row.field]
            then = outcome_of(told)
        transaction.set_rollback(True)
    return Outcome.of_all([outcome, then])


def _as_stripe_will_tell(request: EffectRequest, owner: Owner, *, at: datetime) -> RefundFact:
    payment = Payment.objects.get(key=request.data["payment"])
    amount = payment.here if request.data["amount"] is None else request.data["amount"]
    return RefundFact(
        refs=_names_of(payment, owner), refund=f"{REFUND}_{payment.pk}", amount=amount, currency=payment.currency,
        status=RefundStatus.SUCCEEDED, occurred_at=at,
    )  # fmt: skip


def _names_of(payment: Payment, owner: Owner) -> ObjectRefs:
    if isinstance(owner, Subscription):
        return ObjectRefs(subscription=owner.stripe_id, invoice=payment.key)
    if payment.key.startswith("pi_"):
        return ObjectRefs(payment_intent=payment.key)
    return ObjectRefs(session=payment.session or payment.key)
