"""Settles one order whose time is over: Stripe is asked first, outside any transaction, and then believed."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from payments.actions import decisions
from payments.actions.asking import Asking
from payments.actions.attempts import OrderNotPayable, remember_session
from payments.actions.closing import Waiting, find_waiting, fold_end, has_failed
from payments.actions.decisions import SOURCE, Decision, Verdict, keep
from payments.actions.overdue import AFTER_FAILURE
from payments.actions.session_facts import tell
from payments.apply import Applied
from payments.orders.models import CheckoutAttempt, Order
from payments.statuses import OrderStatus
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.stripe_api.snapshots import CheckoutSession, MalformedObject

# Paid in the very moment in which we end it, a session cannot be ended: a second look tells.
MOST_LOOKS = 3
KEY_SETTING = "STRIPE_SECRET_KEY"


@dataclass(slots=True)
class Settling:
    """One order on its way to a decision. In a dry run Stripe is only asked, and nothing is written."""

    waiting: Waiting
    at: datetime
    stripe: Asking
    is_dry_run: bool = False

    def settle(self) -> Decision:
        """The decision, carried out and kept. Raises MalformedObject or Untold where nobody understands Stripe."""
        try:
            return self._settle()
        except GatewayUnavailable:
            return self._leave(decisions.UNREACHABLE)
        except GatewayRefused as refusal:
            return self._leave(decisions.REFUSED, answer=refusal.code)

    def _settle(self) -> Decision:
        if not self.waiting.is_unanswered:
            return self._look() if self.waiting.session else self._close(decisions.NEVER_OPENED)
        if self.is_dry_run:
            return self._leave(decisions.NOT_ASKED)
        if not self._learn_session():
            return self._close(decisions.NONE_MADE)
        now = find_waiting(order_id=self.waiting.order_id)
        if now is None or now.number != self.waiting.number:
            return self._decision(Verdict.SKIPPED, decisions.CHANGED)
        self.waiting = now
        return self._look()

    def _learn_session(self) -> bool:
        """Ask for the same again: Stripe repeats its answer. False: it has made none, and will not make it now.

        https://docs.stripe.com/api/idempotent_requests
        """
        key = f"{self.waiting.public_id}:{self.waiting.number}"
        try:
            session = self.stripe.make_again(params=self.waiting.params or {}, key=key)
        except GatewayRefused as refusal:
            # These come before Stripe looks for the answer that it gave.
            if refusal.code == "idempotency_error" or KEY_SETTING in refusal.message:
                raise
            return False
        self._remember(session)
        return True

    def _remember(self, session: str) -> None:
        try:
            remember_session(self._newest().get(), session=session)
        except OrderNotPayable:
            # An event was faster and has told another one.
            return

    def _look(self) -> Decision:
        answer = ""
        for _look in range(MOST_LOOKS):
            session = self.stripe.find(self.waiting.session)
            if session is None:
                return self._close(decisions.NOT_KNOWN, answer="resource_missing")
            if session.status != "open":
                return self._ended(session)
            answer = _words(session)
            if session.intent_status == "processing":
                return self._leave(decisions.UNDER_WAY, answer=answer)
            if self.is_dry_run or self.stripe.expire(self.waiting.session):
                return self._close(decisions.ENDED, answer=answer)
        return self._leave(decisions.REFUSED, answer=answer)

    def _ended(self, session: CheckoutSession) -> Decision:
        """Nobody can pay in it any more: expired, or the buyer went through it, with money or without."""
        if session.status == "expired":
            return self._close(decisions.HAD_EXPIRED, answer=_words(session))
        if session.status != "complete":
            raise MalformedObject(f"checkout.session {self.waiting.session}: its status is unknown to us.")
        if has_failed(session) and self.waiting.status == OrderStatus.FAILED:
            return self._failed_before(session)
        return self._foretell(session) if self.is_dry_run else self._tell(session)

    def _failed_before(self, session: CheckoutSession) -> Decision:
        """Known already, so nothing is told again: a later date would begin the time after the failure anew."""
        failed_at = self.waiting.tried_at or self.at
        if failed_at + AFTER_FAILURE <= self.at:
            return self._close(decisions.USED_UP, answer=_words(session))
        if not self.is_dry_run:
            self._end_attempt(failed_at)
        return self._leave(decisions.FAILED_LATELY, answer=_words(session))

    def _foretell(self, session: CheckoutSession) -> Decision:
        if session.payment_status != "unpaid":
            return self._decision(Verdict.CONFIRMED, decisions.PAID, answer=_words(session))
        reason = decisions.FAILED_LATELY if has_failed(session) else decisions.UNDER_WAY
        return self._leave(reason, answer=_words(session))

    @transaction.atomic(durable=True)
    def _tell(self, session: CheckoutSession) -> Decision:
        """What its events would have told, had they arrived."""
        applied, taught = tell(session, source=SOURCE, at=self.at)
        order = Order.objects.get(pk=self.waiting.order_id)
        verdict, reason = _meaning(order, applied)
        decision = Decision(order.pk, verdict, reason, _words(session), frozenset(taught))
        if verdict != Verdict.SKIPPED:
            keep(decision, at=self.at)
        return decision

    def _end_attempt(self, ended_at: datetime) -> None:
        """Nobody can pay there any more: not its own time counts now, but the time after the failure."""
        self._newest().filter(expires_at__gt=ended_at).update(expires_at=ended_at)

    def _newest(self) -> QuerySet[CheckoutAttempt]:
        return CheckoutAttempt.objects.filter(order=self.waiting.order_id, number=self.waiting.number)

    def _close(self, reason: str, *, answer: str = "") -> Decision:
        decision = self._decision(Verdict.CLOSED, reason, answer=answer)
        if self.is_dry_run:
            return decision
        with transaction.atomic(durable=True):
            if not fold_end(self.waiting, at=self.at, source=SOURCE):
                return self._decision(Verdict.SKIPPED, decisions.CHANGED, answer=answer)
            keep(decision, at=self.at)
        return decision

    def _leave(self, reason: str, *, answer: str = "") -> Decision:
        decision = self._decision(Verdict.KEPT, reason, answer=answer)
        if not self.is_dry_run:
            with transaction.atomic(durable=True):
                Order.objects.select_for_update(no_key=True).get(pk=decision.order_id)
                keep(decision, at=self.at)
        return decision

    def _decision(self, verdict: Verdict, reason: str, *, answer: str = "") -> Decision:
        return Decision(self.waiting.order_id, verdict, reason, answer)


def _meaning(order: Order, applied: Applied) -> tuple[Verdict, str]:
    """What became of the order by what it was told."""
    if applied.reason:
        return Verdict.KEPT, decisions.FOREIGN
    has_moved = any(name == "status" for name, _before, _after in applied.taken.changes)
    match order.status:
        case OrderStatus.PAID | OrderStatus.REFUNDED:
            return (Verdict.CONFIRMED, decisions.PAID) if has_moved else (Verdict.SKIPPED, decisions.CHANGED)
        case OrderStatus.CANCELED | OrderStatus.EXPIRED:
            return (Verdict.CLOSED, decisions.CANCELED) if has_moved else (Verdict.SKIPPED, decisions.CHANGED)
        case OrderStatus.PROCESSING:
            return Verdict.KEPT, decisions.UNDER_WAY
        case OrderStatus.FAILED:
            return Verdict.KEPT, decisions.FAILED_LATELY
    return Verdict.KEPT, decisions.NOT_SETTLED


def _words(session: CheckoutSession) -> str:
    """Stripe's own words: of the session, and of its payment."""
    words = (session.status, session.payment_status, session.intent_status)
    return ", ".join(word for word in words if word)
