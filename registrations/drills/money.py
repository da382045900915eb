"""Drills about money that goes back: an activity that is called off, and a week in which banks ask for theirs."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F, Max, Q, QuerySet, Sum

from payments.billing.models import Dispute, Refund
from payments.effects.models import Effect
from payments.orders.models import Order, OrderException
from payments.statuses import DISPUTE_UNANSWERED, REFUND_COUNTS, DisputePhase, EffectStatus, ExceptionKind, OrderStatus
from registrations.drills.buyers import ORDERS_PAGE, SALES_GO_ON, USUAL_CARD, orders_of, sell
from registrations.drills.drill import Check, Drill, Finding
from registrations.drills.state import Run
from registrations.models import Activity

# https://docs.stripe.com/testing: refunds to this card come back; payments with the others are disputed, or warned of.
TAKES_NO_REFUND = "pm_card_refundFail"
DISPUTED_CARDS = ("pm_card_createDispute", "pm_card_createDisputeProductNotReceived", "pm_card_createDisputeInquiry")
WARNED_CARD = "pm_card_createIssuerFraudRecord"
STORM_CARDS = (USUAL_CARD, TAKES_NO_REFUND, USUAL_CARD, USUAL_CARD, USUAL_CARD, TAKES_NO_REFUND, USUAL_CARD, USUAL_CARD)
WEEK_CARDS = (USUAL_CARD, *DISPUTED_CARDS, WARNED_CARD, USUAL_CARD)
TODO_PAGE = "Payments › To do"


def _bought_with(run: Run, cards: Sequence[str], *wanted: str) -> QuerySet[Order]:
    """The orders of those who paid with one of the wanted cards; `cards`: those of all buyers, in their order."""
    ids = [order for order, card in zip(run.orders, cards, strict=False) if card in wanted]
    return orders_of(run).filter(pk__in=ids)


def _named(orders: QuerySet[Order]) -> str:
    return ", ".join(order.number for order in orders)


def _called_off(run: Run) -> Finding:
    called_off_at = Activity.objects.values_list("called_off_at", flat=True).get(slug=run.activity)
    return Finding("" if called_off_at else "It is on sale still.", called_off_at)


def _told(run: Run) -> Finding:
    """Delivered, not only asked for."""
    sent = Effect.objects.filter(
        order__in=run.orders, kind="registration.called_off", status=EffectStatus.DONE
    )  # fmt: skip
    if missing := len(run.orders) - sent.count():
        return Finding(f"{missing} of {len(run.orders)} buyers have no e-mail that says so.")
    return Finding(done_at=sent.aggregate(last=Max("delivered_at"))["last"])


def _money_back(run: Run) -> Finding:
    orders = _bought_with(run, STORM_CARDS, USUAL_CARD)
    waiting = orders.exclude(status=OrderStatus.REFUNDED)
    if waiting:
        return Finding(f"Nothing, or not all, has gone back to {_named(waiting)}.")
    return Finding(done_at=_last_refund(run))


def _last_refund(run: Run) -> datetime | None:
    return Refund.objects.filter(order__in=run.orders).aggregate(last=Max("status_at"))["last"]


def _settled(run: Run) -> Finding:
    """A bank that sends a refund back, some time after it was made, takes the next one no better."""
    orders = _bought_with(run, STORM_CARDS, TAKES_NO_REFUND)
    answered = OrderException.objects.filter(
        order__in=orders, kind=ExceptionKind.REFUND_OWED, is_open=False, closed_by__isnull=False
    )
    owed = orders.exclude(pk__in=answered.values("order"))
    if owed:
        return Finding(f"{_named(owed)}: the money does not stay there, and nobody has said how it is paid instead.")
    return Finding(done_at=answered.aggregate(last=Max("closed_at"))["last"])


def _refunded_twice(run: Run) -> Finding:
    counted = Sum("refunds__amount", filter=Q(refunds__status__in=REFUND_COUNTS))
    orders = orders_of(run).annotate(back=counted).filter(back__gt=F("amount"))
    return Finding(f"More went back than was paid: {_named(orders)}." if orders else "")


def _answered(run: Run) -> Finding:
    expected = len(DISPUTED_CARDS)
    disputes = Dispute.objects.filter(order__in=run.orders)
    waiting = disputes.filter(status__in=DISPUTE_UNANSWERED)
    if waiting:
        return Finding(f"{len(waiting)} of {expected} wait for an answer: {', '.join(map(str, waiting))}.")
    if disputes.count() < expected:
        return Finding(f"{disputes.count()} of {expected} are known here so far.")
    return Finding(done_at=disputes.aggregate(last=Max("status_at"))["last"])


def _warning_heeded(run: Run) -> Finding:
    kept = _bought_with(run, WEEK_CARDS, WARNED_CARD).exclude(status=OrderStatus.REFUNDED)
    if kept:
        return Finding(f"{_named(kept)} is not refunded: it will be disputed, and that costs a fee as well.")
    return Finding(done_at=_last_refund(run))


def _nothing_open(run: Run) -> Finding:
    asked = OrderException.objects.filter(order__in=run.orders, is_open=True)
    if asked:
        return Finding(f"{len(asked)} questions are open: {', '.join(sorted({row.kind for row in asked}))}.")
    # Before the warning has arrived there is nothing to ask: then nothing is settled either.
    closed = OrderException.objects.filter(order__in=run.orders)
    return Finding("" if closed else "The card network's warning has not arrived.", _last_closed(closed))


def _last_closed(rows: QuerySet[OrderException]) -> datetime | None:
    return rows.aggregate(last=Max("closed_at"))["last"]


def _given_up(run: Run) -> Finding:
    lost = Dispute.objects.filter(order__in=run.orders, phase=DisputePhase.LOST)
    return Finding(f"Lost without an answer: {', '.join(map(str, lost))}." if lost else "")


def _refunded_too_much(run: Run) -> Finding:
    """The bank has that money already, or nobody asks for it; an inquiry may be ended by a refund."""
    cards = (USUAL_CARD, *DISPUTED_CARDS[:2])
    orders = _bought_with(run, WEEK_CARDS, *cards).filter(refunds__isnull=False).distinct()
    return Finding(f"Money went back where none was owed: {_named(orders)}." if orders else "")


class RefundStorm(Drill):
    """An activity that everybody has paid for cannot take place, and two banks do not take the money back."""

    name = "refund-storm"
    teaches = "to call an activity off once instead of paying back one by one, and to see which money came back"
    ticket = (
        "The teacher telephones: an arm is broken, the class cannot take place. Everybody who has paid is to be told "
        "today and gets the money back. The accountant adds: “Last time two people never got theirs, and we only heard "
        "of it when they complained.”"
    )
    hints = (
        "Nobody has to refund eight orders by hand: look at the page of the activity.",
        "`Call off…` closes the sales, tells everybody once and asks for every refund once.",
        "Look at To do some minutes later: a refund that the bank sent back is owed still. Pay it in another way, and "
        "say so there.",
    )
    checks = (
        Check("called-off", 20, "the activity is called off", "Activities › Call off…", _called_off),
        Check("told", 20, "every buyer has been told by e-mail", "calling it off does it; Effects show it", _told),
        Check("money-back", 30, "the money has gone back wherever a bank takes it", f"{ORDERS_PAGE}", _money_back),
        Check(
            "owed-settled", 30, "where the bank sent it back, somebody has said how it is paid instead",
            f"{TODO_PAGE}: pay by bank transfer, then “Dismiss…” with that as its reason", _settled,
        ),
    )  # fmt: skip
    traps = (
        Check("refunded-twice", 25, "nobody gets more than was paid", "look at the order first", _refunded_twice),
        SALES_GO_ON,
    )

    def begin(self, run: Run) -> None:
        sell(run, cards=STORM_CARDS)


class DisputeWeek(Drill):
    """Two chargebacks, an inquiry and a warning of fraud in one morning."""

    name = "dispute-week"
    teaches = "which of a bank's letters needs an answer, which a refund, and which payment must not be refunded"
    ticket = (
        "Four mails from Stripe this morning: two payments are disputed, a bank asks about a third, and a card network "
        "warns of a fourth. The accountant asks: “Shall we simply pay all four back, to have peace?”"
    )
    hints = (
        "To do and Disputes say what each of them is, until when it can be answered, and what an answer needs.",
        "A disputed payment is not refunded: the bank has the money. Download the evidence pack and answer in "
        "Stripe's Dashboard (the emulator's console › Payments).",
        "A warning of fraud is no dispute yet: a refund now prevents one.",
    )
    checks = (
        Check(
            "answered", 40, "every dispute and inquiry is answered",
            "Disputes › Evidence pack, then Stripe's Dashboard", _answered,
        ),
        Check(
            "warning-heeded", 30, "what the card network warns of is refunded", f"{TODO_PAGE} › Refund…",
            _warning_heeded,
        ),
        Check("nothing-open", 30, "no question about these orders is open", TODO_PAGE, _nothing_open),
    )  # fmt: skip
    traps = (
        Check("given-up", 25, "no dispute is lost without an answer", "send the evidence pack", _given_up),
        Check("refunded-too-much", 25, "nothing else is refunded", "answer the bank instead", _refunded_too_much),
        SALES_GO_ON,
    )

    def begin(self, run: Run) -> None:
        sell(run, cards=WEEK_CARDS)
