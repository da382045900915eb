"""What was promised back and has not gone back: a refund given up or refused, or one that failed at the bank.

It stays owed, and a question for staff, until the money has gone back in any way or somebody decides.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext_noop

from payments.billing.models import Dispute, Payment, Refund
from payments.effects.deliver import try_again
from payments.effects.models import Effect
from payments.names import REFUND_KIND
from payments.orders.models import OrderException
from payments.products import Question, Value, sum_of
from payments.statuses import REFUND_COUNTS, REFUND_UNDONE, DisputePhase, EffectStatus, ExceptionKind

OWED = gettext_noop("%(amount)s of payment %(payment)s are owed to %(person)s. Stripe says: %(words)s")
GONE_BACK = gettext_noop("The money has gone back in another way.")
CHARGE_DISPUTED = "charge_disputed"
TRIED_AGAIN_AFTER = timedelta(hours=24)
# Staff have said that nothing more is to be done.
DECIDED = Q(kind=ExceptionKind.REFUND_OWED, closed_by__isnull=False)


@dataclass(frozen=True, slots=True)
class Debt:
    """One refund that was promised. `refund`: the one that failed at the bank; `effect` None: nobody here asked for it.

    `amount` in minor units of the payment's currency. `words`, `code`: Stripe's, why it is not made.
    """

    payment: Payment
    effect: Effect | None
    refund: Refund | None
    amount: int
    since: datetime
    words: str
    code: str
    is_open: bool = True

    @property
    def subject(self) -> str:
        """What the question goes by: the effect, which is tried again, or the refund."""
        return self.effect.key if self.effect else self.refund.stripe_id if self.refund else ""

    def question(self) -> Question:
        """What staff read."""
        row = self.payment
        values: dict[str, Value] = {
            "amount": sum_of(self.amount, row.currency), "payment": row.key, "person": _person(row) or "?",
            "words": self.words[:250], "code": self.code,
        }  # fmt: skip
        return Question(
            ExceptionKind.REFUND_OWED, self.subject, row.order_id, self.is_open, OWED, values, row.subscription_id
        )


@dataclass(slots=True)
class Money:
    """One payment with all that was asked back of it."""

    payment: Payment
    effects: list[Effect] = field(default_factory=list)
    refunds: dict[str, Refund] = field(default_factory=dict)
    disputes: list[Dispute] = field(default_factory=list)

    @property
    def left(self) -> int:
        """What can still go back through Stripe."""
        return max(0, self.payment.here - self.payment.off_stripe)

    @property
    def phases(self) -> set[int]:
        """Where its disputes stand."""
        return {each.phase for each in self.disputes}

    def debts(self) -> Iterator[Debt]:
        """The oldest first; one that the bank's dispute, or another refund since, has settled is not open."""
        gone = self._gone_back()
        for debt in sorted(self._promised(), key=lambda debt: debt.since):
            is_settled = self.left == 0 or _takes(gone, debt)
            yield replace(debt, amount=min(debt.amount, self.left) or debt.amount, is_open=not is_settled)

    def is_blocked(self) -> bool:
        """The bank has the money, for the time being or for good: Stripe would refuse. An inquiry has taken none."""
        return bool(self.phases & {DisputePhase.OPEN, DisputePhase.LOST})

    def _promised(self) -> Iterator[Debt]:
        ours: set[str] = set()
        for effect in self.effects:
            ours |= {effect.data.get("refund", ""), *effect.data.get("failed", ())}
            amount = self.left if effect.data["amount"] is None else effect.data["amount"]
            made = self.refunds.get(effect.data.get("refund", ""))
            if made and made.status in REFUND_UNDONE:
                yield self._failed(made, effect, amount)
            elif _is_unkept(effect):
                words = effect.outcome.partition(": ")[2] or effect.outcome
                yield Debt(self.payment, effect, None, amount, _since(effect), words, effect.data.get("code", ""))
        for refund in self.refunds.values():
            if refund.status in REFUND_UNDONE and refund.stripe_id not in ours:
                yield self._failed(refund, None, refund.amount)

    def _failed(self, refund: Refund, effect: Effect | None, amount: int) -> Debt:
        words = refund.failure_reason or refund.status
        return Debt(self.payment, effect, refund, amount, refund.status_at, words, refund.failure_reason)

    def _gone_back(self) -> list[tuple[datetime, int]]:
        """When which amount was given back, or promised anew, by something that is not owed itself."""
        asked = {effect.data["refund"]: effect for effect in self.effects if effect.data.get("refund")}
        counted = [each for each in self.refunds.values() if each.status in REFUND_COUNTS]
        found = [(each.status_at, each.amount) for each in counted if each.stripe_id not in asked]
        for effect in self.effects:
            made = self.refunds.get(effect.data.get("refund", ""))
            if not _is_unkept(effect) and (made is None or made.status not in REFUND_UNDONE):
                amount = made.amount if made else effect.data["amount"]
                found.append((effect.created_at, self.left if amount is None else amount))
        return sorted(found)


def _is_unkept(effect: Effect) -> bool:
    """Given up; or refused, and to be tried again."""
    is_waiting = effect.status in (EffectStatus.PENDING, EffectStatus.CLAIMED)
    return effect.status == EffectStatus.DEAD or (is_waiting and "again" in effect.data)


def _since(effect: Effect) -> datetime:
    """Since when staff know that it is owed."""
    told = effect.data.get("owed_since")
    return datetime.fromisoformat(told) if told else effect.claimed_at or effect.created_at


def _takes(gone: list[tuple[datetime, int]], debt: Debt) -> bool:
    """Whether what went back since then covers the debt; what is used up covers no other."""
    missing = debt.amount
    for place, (at, amount) in enumerate(gone):
        if at > debt.since and missing:
            used = min(amount, missing)
            missing, gone[place] = missing - used, (at, amount - used)
    return missing == 0


def _person(row: Payment) -> str:
    owner = row.order or (row.subscription.customer if row.subscription else None)
    return owner.email if owner else ""


def money_of(payments: Iterable[Payment]) -> dict[str, Money]:
    """These payments by key, each with all that was asked back of it. Three queries."""
    found = {row.key: Money(row) for row in payments}
    orders = {each.payment.order_id for each in found.values()} - {None}
    subscriptions = {each.payment.subscription_id for each in found.values()} - {None}
    mine = Q(order__in=orders) | Q(subscription__in=subscriptions)
    for effect in Effect.objects.filter(mine, kind=REFUND_KIND).exclude(status=EffectStatus.SKIPPED).order_by("pk"):
        if effect.data["payment"] in found:
            found[effect.data["payment"]].effects.append(effect)
    for refund in Refund.objects.filter(payment__in=found):
        found[refund.payment].refunds[refund.stripe_id] = refund
    for dispute in Dispute.objects.filter(payment__in=found):
        found[dispute.payment].disputes.append(dispute)
    return found


def questions_of_debts(payments: Collection[str], *, at: datetime, is_news: bool = False) -> list[Question]:
    """What is owed of these payments, and what is not any more; in the transaction that locks their owners.

    `is_news`: Stripe has told of them; what was refused for a dispute that is over by now is tried again at once.
    """
    questions = []
    decided = set(OrderException.objects.filter(DECIDED).values_list("subject", flat=True)) if is_news else set()
    rows = Payment.objects.filter(key__in=payments).select_related("order", "subscription__customer")
    for money in money_of(rows).values():
        for debt in money.debts():
            questions.append(debt.question())
            if not debt.is_open:
                _let_go(debt, money)
            elif is_news and debt.subject not in decided and _was_disputed(debt, money):
                ask_again(debt, at=at)
    return [*questions, *_no_longer_owed(payments, asked={question.subject for question in questions})]


def _no_longer_owed(payments: Collection[str], *, asked: set[str]) -> Iterator[Question]:
    """The questions about these payments of which nothing is left: the refund was made after all."""
    rows = OrderException.objects.filter(kind=ExceptionKind.REFUND_OWED, is_open=True, values__payment__in=payments)
    for row in rows.exclude(subject__in=asked):
        yield Question(ExceptionKind.REFUND_OWED, row.subject, row.order_id, False)


def _let_go(debt: Debt, money: Money) -> None:
    """What has gone back in another way is not tried again. A dispute that is lost may still be won, late."""
    if debt.effect and DisputePhase.LOST not in money.phases:
        waiting = Effect.objects.filter(pk=debt.effect.pk, status__in=[EffectStatus.DEAD, EffectStatus.PENDING])
        waiting.update(status=EffectStatus.SKIPPED, outcome=GONE_BACK)


def _was_disputed(debt: Debt, money: Money) -> bool:
    """Refused because of a dispute that is over by now."""
    return debt.refund is None and debt.code == CHARGE_DISPUTED and not money.is_blocked()


def ask_again(debt: Debt, *, at: datetime) -> bool:
    """Try the refund of a debt again, now. False: it has no effect of ours, or is being tried at this moment."""
    if debt.effect is None:
        return False
    if debt.refund:
        data = {**debt.effect.data, "failed": [*debt.effect.data.get("failed", ()), debt.refund.stripe_id]}
        del data["refund"]
        Effect.objects.filter(pk=debt.effect.pk).update(data=data)
    return try_again(key=debt.effect.key, at=at)


def next_try_at(debt: Debt, money: Money) -> datetime | None:
    """When it is tried again by itself; None: only if a person asks for it."""
    if debt.effect and debt.effect.status == EffectStatus.PENDING:
        return debt.effect.not_before
    # What the bank has sent back may have found its place since: that is for a person to say (docs/adr/0007).
    if debt.effect is None or debt.refund or not debt.is_open or money.is_blocked():
        return None
    return (debt.effect.claimed_at or debt.since) + TRIED_AGAIN_AFTER


def is_due_again(debt: Debt, money: Money, *, at: datetime) -> bool:
    """Whether a day is over since it was tried, and it may go differently now, though nobody has done anything."""
    due_at = next_try_at(debt, money)
    return bool(due_at and debt.effect and debt.effect.status == EffectStatus.DEAD and due_at <= at)
