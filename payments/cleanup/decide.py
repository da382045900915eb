"""Decides about one order whose time is over: Stripe is asked first, outside any transaction, and then believed."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from payments.apply.apply import save_exceptions
from payments.apply.batch import ApplyResult
from payments.checkout.attempts import OrderNotPayable, remember_session
from payments.checkout.session_facts import apply_session, find_session, has_failed
from payments.cleanup import decide as decisions
from payments.cleanup.closing import HOLD_AFTER_FAILURE, WaitingOrder, close_order, close_waiting, find_waiting
from payments.orders.models import CheckoutAttempt, Order, OrderChange, OrderException, order_number
from payments.products import Question
from payments.statuses import ExceptionKind, OrderStatus
from payments.stripe_api import gateway
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.stripe_api.lookups import ThrottledStripe
from payments.stripe_api.snapshots import MalformedObject, StripeCheckoutSession

# The history's word for it, and who did it.
HISTORY_FIELD = SOURCE = "clean-up"

NEVER_OPENED = gettext_noop("Closed: no payment page was opened.")
NONE_MADE = gettext_noop("Closed: Stripe has made no payment page.")
HAD_EXPIRED = gettext_noop("Closed: the payment page had expired.")
ENDED = gettext_noop("Closed: the payment page was still open, and was ended at Stripe.")
NOT_KNOWN = gettext_noop("Closed: Stripe does not know the payment page.")
USED_UP = gettext_noop("Closed: the payment failed, and nobody began another one within 24 hours.")
CANCELED = gettext_noop("Closed: the payment was canceled.")
PAID = gettext_noop("Confirmed: it had been paid, and the news of it was missing.")
UNDER_WAY = gettext_noop("Kept: a payment is under way.")
FAILED_LATELY = gettext_noop("Kept: the payment failed; for 24 hours one can begin another one.")
NOT_SETTLED = gettext_noop("Kept: what Stripe tells does not settle the order; staff decide.")
FOREIGN = gettext_noop("Kept: the payment page was made for another site.")
UNREACHABLE = gettext_noop("Kept: Stripe could not be reached.")
REFUSED = gettext_noop("Kept: Stripe refuses to tell or to end the payment page.")
NOT_ENDED = gettext_noop(
    "The time of order %(order)s is over, and Stripe refuses to tell or to end its payment page (%(words)s): what it "
    "holds stays taken. It is tried again by itself; see to the payment page in Stripe's Dashboard."
)
NOT_ASKED = gettext_noop("Kept: only asking again tells whether Stripe made a payment page, and that may make one.")
CHANGED = gettext_noop("The order has changed meanwhile.")


class Verdict(StrEnum):
    """The place is free, the order is paid, it stays as it is, somebody else was faster, or we failed."""

    CLOSED = "closed"
    CONFIRMED = "confirmed"
    KEPT = "kept"
    SKIPPED = "skipped"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one order. `answer`: Stripe's words, "" if it told nothing.

    `new_references`: names that are known now; events that named them in vain are to be tried again.
    """

    order_id: int
    verdict: Verdict
    reason: str
    answer: str = ""
    new_references: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def is_unanswered(self) -> bool:
        """Stripe told nothing: the next order will hardly fare better."""
        return self.reason in (UNREACHABLE, REFUSED)


def record_decision(decision: Decision, *, at: datetime) -> None:
    """Write it into the history unless that says the same already. In a transaction that has locked the order."""
    _ask_about_refusal(decision, at=at)
    rows = OrderChange.objects.filter(order_id=decision.order_id, field=HISTORY_FIELD)
    last = rows.order_by("-id").values_list("before", "after").first()
    if last == (decision.answer, decision.reason):
        return
    OrderChange.objects.create(
        order_id=decision.order_id, field=HISTORY_FIELD, before=decision.answer, after=decision.reason, occurred_at=at,
        learned_at=at, source=SOURCE,
    )  # fmt: skip


def _ask_about_refusal(decision: Decision, *, at: datetime) -> None:
    """A place that stays taken because Stripe refuses is a question for staff, until Stripe does not."""
    subject, is_refused = f"clean-up:{decision.order_id}", decision.reason == REFUSED
    asked = OrderException.objects.filter(kind=ExceptionKind.CHECKOUT_REFUSED, subject=subject, is_open=True)
    if is_refused or asked.exists():
        values = {"order": order_number(decision.order_id), "words": decision.answer or "?"}
        question = Question(
            ExceptionKind.CHECKOUT_REFUSED, subject, decision.order_id, is_refused, NOT_ENDED, values
        )  # fmt: skip
        save_exceptions([question], at=at)


# Paid in the very moment in which we end it, a session cannot be ended: a second look tells.
MAX_LOOKS = 3
KEY_SETTING = "STRIPE_SECRET_KEY"


@dataclass(slots=True)
class OverdueOrder:
    """One order on its way to a decision. In a dry run Stripe is only asked, and nothing is written."""

    waiting: WaitingOrder
    at: datetime
    stripe: ThrottledStripe
    is_dry_run: bool = False

    def decide(self) -> Decision:
        """The decision, carried out and kept. Raises MalformedObject or Untold where nobody understands Stripe."""
        try:
            return self._decide()
        except GatewayUnavailable:
            return self._leave(decisions.UNREACHABLE)
        except GatewayRefused as refusal:
            return self._leave(decisions.REFUSED, answer=refusal.code)

    def _decide(self) -> Decision:
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
            session = self.stripe.call(
                gateway.create_checkout_session, params=self.waiting.params or {}, idempotency_key=key
            )
        except GatewayRefused as refusal:
            # These come before Stripe looks for the answer that it gave.
            if refusal.code == "idempotency_error" or KEY_SETTING in refusal.message:
                raise
            return False
        self._remember(session.refs.session)
        return True

    def _remember(self, session: str) -> None:
        try:
            remember_session(self._newest().get(), session=session)
        except OrderNotPayable:
            # An event was faster and has told another one.
            return

    def _look(self) -> Decision:
        answer = ""
        for _look in range(MAX_LOOKS):
            session = self.stripe.call(find_session, self.waiting.session)
            if session is None:
                return self._close(decisions.NOT_KNOWN, answer="resource_missing")
            if session.status != "open":
                return self._ended(session)
            answer = _words(session)
            if session.intent_status == "processing":
                return self._leave(decisions.UNDER_WAY, answer=answer)
            if self.is_dry_run or self._expire():
                return self._close(decisions.ENDED, answer=answer)
        return self._leave(decisions.REFUSED, answer=answer)

    def _expire(self) -> bool:
        """End the session. False: Stripe refused, because it is not open any more or for reasons of its own."""
        try:
            self.stripe.call(gateway.expire_checkout_session, session=self.waiting.session)
        except GatewayRefused:
            return False
        return True

    def _ended(self, session: StripeCheckoutSession) -> Decision:
        """Nobody can pay in it any more: expired, or the buyer went through it, with money or without."""
        if session.status == "expired":
            return self._close(decisions.HAD_EXPIRED, answer=_words(session))
        if session.status != "complete":
            raise MalformedObject(f"checkout.session {self.waiting.session}: its status is unknown to us.")
        if has_failed(session) and self.waiting.status == OrderStatus.FAILED:
            return self._failed_before(session)
        return self._foretell(session) if self.is_dry_run else self._tell(session)

    def _failed_before(self, session: StripeCheckoutSession) -> Decision:
        """Known already, so nothing is told again: a later date would begin the time after the failure anew."""
        failed_at = self.waiting.attempt_at or self.at
        if failed_at + HOLD_AFTER_FAILURE <= self.at:
            return self._close(decisions.USED_UP, answer=_words(session))
        if not self.is_dry_run:
            self._end_attempt(failed_at)
        return self._leave(decisions.FAILED_LATELY, answer=_words(session))

    def _foretell(self, session: StripeCheckoutSession) -> Decision:
        if session.payment_status != "unpaid":
            return self._decision(Verdict.CONFIRMED, decisions.PAID, answer=_words(session))
        reason = decisions.FAILED_LATELY if has_failed(session) else decisions.UNDER_WAY
        return self._leave(reason, answer=_words(session))

    @transaction.atomic(durable=True)
    def _tell(self, session: StripeCheckoutSession) -> Decision:
        """What its events would have told, had they arrived."""
        applied, new_references = apply_session(session, source=SOURCE, at=self.at)
        order = Order.objects.get(pk=self.waiting.order_id)
        verdict, reason = _meaning(order, applied)
        decision = Decision(order.pk, verdict, reason, _words(session), frozenset(new_references))
        if verdict != Verdict.SKIPPED:
            record_decision(decision, at=self.at)
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
            if not close_waiting(self.waiting, at=self.at, source=SOURCE):
                return self._decision(Verdict.SKIPPED, decisions.CHANGED, answer=answer)
            record_decision(decision, at=self.at)
        return decision

    def _leave(self, reason: str, *, answer: str = "") -> Decision:
        decision = self._decision(Verdict.KEPT, reason, answer=answer)
        if not self.is_dry_run:
            with transaction.atomic(durable=True):
                Order.objects.select_for_update(no_key=True).get(pk=decision.order_id)
                record_decision(decision, at=self.at)
        return decision

    def _decision(self, verdict: Verdict, reason: str, *, answer: str = "") -> Decision:
        return Decision(self.waiting.order_id, verdict, reason, answer)


def _meaning(order: Order, applied: ApplyResult) -> tuple[Verdict, str]:
    """What became of the order by what it was told."""
    if applied.reason:
        return Verdict.KEPT, decisions.FOREIGN
    has_moved = any(name == "status" for name, _before, _after in applied.folded.changes)
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


def _words(session: StripeCheckoutSession) -> str:
    """Stripe's own words: of the session, and of its payment."""
    words = (session.status, session.payment_status, session.intent_status)
    return ", ".join(word for word in words if word)


def close_unless_paid(*, order_id: int, at: datetime, source: str) -> bool:
    """End its page at Stripe and the order with it; what was paid there meanwhile is confirmed instead.

    False where a payment may still come: another order would be paid twice. Not to be called inside a transaction.
    Raises GatewayUnavailable, GatewayRefused.
    """
    waiting = find_waiting(order_id=order_id)
    if waiting is None or OverdueOrder(waiting, at, ThrottledStripe()).decide().verdict != Verdict.KEPT:
        return True
    # Kept although nobody can pay there any more, to leave time for another try; or because Stripe did not answer.
    return close_order(order_id=order_id, at=at, source=source)
