"""Which time a run covers, and both sides of it: what Stripe lists, and what is here and has to do with it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet

from payments.billing.models import Dispute, Payment, Refund, Subscription
from payments.checkout.session_facts import Untold
from payments.facts import CustomerFact, Fact, OrderFact
from payments.names import is_demo
from payments.orders.models import CheckoutAttempt, Order
from payments.reconcile.models import ReconcileRun
from payments.resync.stripe_state import (
    fact_of_dispute,
    fact_of_invoice,
    fact_of_payment,
    fact_of_refund,
    facts_of_session,
)
from payments.statuses import (
    OPEN_STATUSES,
    REFUND_FINAL,
    SUBSCRIPTION_ENDED,
    SUBSCRIPTION_OVERDUE,
    DisputePhase,
    OrderStatus,
    SubscriptionStatus,
)
from payments.stripe_api.snapshots import (
    Json,
    StripeCheckoutSession,
    StripeFraudWarning,
    StripeInvoice,
    StripeSubscription,
)
from payments.stripe_api.snapshots.reading import find_object

# What has changed lately is looked at twice: Stripe's own work may take a day to show.
MIN_WINDOW = timedelta(hours=48)
# Each run begins before the last one ended, so that nothing falls between two.
OVERLAP = timedelta(hours=1)
# A refund that has succeeded may still come back: https://docs.stripe.com/refunds#failed-refunds
REFUND_AGE = timedelta(days=60)
FRAUD_WARNINGS = "radar.early_fraud_warnings"
# Of a subscription's invoices, those that may still be paid.
UNPAID_INVOICES = ("open", "uncollectible")
# Whoever is so has a running period, which money must have paid for.
CHARGED = (SubscriptionStatus.ACTIVE, *SUBSCRIPTION_OVERDUE)
ReadFacts = Callable[[Json, datetime], Iterable[Fact | None]]


@dataclass(frozen=True, slots=True)
class Window:
    """From `since` to just before `until`. `is_continued`: it begins where the last one ended."""

    since: datetime
    until: datetime
    is_continued: bool = False

    def on(self, column: str) -> Q:
        """The rows whose moment in this column lies in the window."""
        return Q(**{f"{column}__gte": self.since, f"{column}__lt": self.until})

    @property
    def of_refunds(self) -> "Window":
        """The same, reaching back as far as refunds come back."""
        return replace(self, since=min(self.since, self.until - REFUND_AGE))

    @property
    def created(self) -> dict[str, int]:
        """The `created` of Stripe's lists, in whole seconds, rather a second too much."""
        return {"gte": int(self.since.timestamp()), "lte": int(self.until.timestamp()) + 1}


@dataclass(frozen=True, slots=True)
class Subject:
    """What can be resynced: an order of ours, or a subscription by its name at Stripe."""

    order_id: int | None = None
    subscription: str = ""


@dataclass(frozen=True, slots=True)
class StripeList:
    """What it is called at Stripe, what is asked of it, and how one of its objects is read."""

    what: str
    params: dict[str, Any]
    read: ReadFacts

    def facts_of(self, raw: Json, *, at: datetime) -> list[Fact]:
        """What the object says that our rows must say, too. Raises MalformedObject."""
        try:
            facts = [fact for fact in self.read(raw, at) if fact and not isinstance(fact, CustomerFact)]
        except Untold:
            return []
        return _newest_status(facts)


def next_window(*, at: datetime) -> Window:
    """From before the end of the last run that came to its end, 48 hours at least, until now."""
    done = ReconcileRun.objects.filter(is_continued=True, is_dry_run=False, finished_at__isnull=False)
    last = done.order_by("-until").values_list("until", flat=True).first()
    since = at - MIN_WINDOW
    return Window(min(since, last - OVERLAP) if last else since, at, is_continued=True)


def lists_of_money(window: Window) -> list[StripeList]:
    """What brings money. Subscriptions come first: what pays them is known by their invoices, and those by them."""
    created = {"created": window.created}
    return [
        # Without a status: every one that has not ended, however old it is.
        StripeList("subscriptions", {}, _read_subscription),
        StripeList("subscriptions", {"status": "all", **created}, _read_subscription),
        StripeList("invoices", created, _read_invoice),
        StripeList("checkout.sessions", created, _read_session),
        StripeList("payment_intents", created, lambda raw, at: [fact_of_payment(raw)]),
    ]


def lists_of_money_back(window: Window) -> list[StripeList]:
    """What takes money back: it is known by the payments."""
    return [
        StripeList("refunds", {"created": window.of_refunds.created}, lambda raw, at: [fact_of_refund(raw)]),
        StripeList("disputes", {"created": window.created}, lambda raw, at: [fact_of_dispute(raw)]),
        StripeList(FRAUD_WARNINGS, {"created": window.created}, _read_fraud_warning),
    ]


def our_invoices(page: Iterable[Json]) -> dict[str, str]:
    """The invoices of subscriptions that are known here, with the subscription's name."""
    found = (StripeInvoice.read(raw).refs for raw in page)
    named = {refs.invoice: refs.subscription for refs in found if refs.subscription}
    known = Subscription.objects.filter(stripe_id__in=named.values()).values_list("stripe_id", flat=True)
    ours = set(known)
    return {invoice: subscription for invoice, subscription in named.items() if subscription in ours}


def open_invoices_before() -> dict[str, str]:
    """What `our_invoices` told of those that were open when the last run came to its end."""
    done = ReconcileRun.objects.filter(is_dry_run=False, finished_at__isnull=False).order_by("-pk")
    return done.values_list("open_invoices", flat=True).first() or {}


def orders_of(window: Window) -> QuerySet[Order]:
    """The orders that were made, paid, refunded or disputed in the window, or wait; those of test mode stay apart."""
    touched = window.on("created_at") | window.on("paid_at") | Q(status__in=OPEN_STATUSES)
    for column in ("payments__paid_at", "refunds__status_at", "disputes__status_at", "checkouts__created_at"):
        touched |= Q(pk__in=Order.objects.filter(window.on(column)).values("pk"))
    return Order.objects.filter(touched, livemode=settings.STRIPE_LIVEMODE)


def subscriptions_of(window: Window) -> QuerySet[Subscription]:
    """The subscriptions that go on, and those that ended or whose money moved in the window."""
    touched = ~Q(status__in=SUBSCRIPTION_ENDED) | window.on("ended_at") | window.on("last_paid_at")
    for column in ("payments__paid_at", "refunds__status_at", "disputes__status_at"):
        touched |= Q(pk__in=Subscription.objects.filter(window.on(column)).values("pk"))
    return Subscription.objects.filter(touched)


def not_listed(
    window: Window, *, listed: Collection[str], also: Iterable[str], unread: Collection[str] = ()
) -> Iterator[tuple[Subject, str]]:
    """What Stripe's lists did not contain although it belongs to the window or is not final, with its name there.

    `also`: names of which staff were asked before whether Stripe knows them. `unread`: lists that Stripe refuses.
    Demo data is in none of them, and nobody is asked about it.
    """
    found = _not_listed(window, listed=listed, also=also, unread=unread)
    return ((subject, name) for subject, name in found if not is_demo(name))


def _not_listed(
    window: Window, *, listed: Collection[str], also: Iterable[str], unread: Collection[str]
) -> Iterator[tuple[Subject, str]]:
    wanted = list(also)
    for rows, key in _money_to_find(window, wanted, unread):
        mine = rows.filter(Q(order=None) | Q(order__livemode=settings.STRIPE_LIVEMODE))
        for name, order_id, subscription in mine.values_list(key, "order_id", "subscription__stripe_id"):
            if name not in listed or name in wanted:
                yield Subject(order_id, subscription or ""), name
    if "checkout.sessions" not in unread:
        yield from _sessions_not_listed(window, listed)
    subscriptions = subscriptions_of(window) if "subscriptions" not in unread else Subscription.objects.none()
    for name, needs_resync in subscriptions.values_list("stripe_id", "needs_resync"):
        if name not in listed or needs_resync or name in wanted:
            yield Subject(subscription=name), name


def _sessions_not_listed(window: Window, listed: Collection[str]) -> Iterator[tuple[Subject, str]]:
    """Also every payment that is under way: of a bank debit that has come since, no list of new sessions tells."""
    is_open = Q(order__status__in=OPEN_STATUSES)
    attempts = CheckoutAttempt.objects.filter(window.on("created_at") | is_open).exclude(session="")
    own = attempts.filter(order__livemode=settings.STRIPE_LIVEMODE)
    for session, order_id, status in own.values_list("session", "order_id", "order__status"):
        if session not in listed or status == OrderStatus.PROCESSING:
            yield Subject(order_id), session
    without = Order.objects.filter(status=OrderStatus.PROCESSING, livemode=settings.STRIPE_LIVEMODE)
    for order_id, name in without.filter(references__name__startswith="pi_").values_list("pk", "references__name"):
        yield Subject(order_id), name


def _money_to_find(
    window: Window, also: Collection[str], unread: Collection[str]
) -> Iterator[tuple[QuerySet[Any], str]]:
    """The rows that must be in Stripe's lists, with the column of their names: of the window, and what is not final."""
    if not {"payment_intents", "invoices"} & set(unread):
        yield Payment.objects.filter(window.on("paid_at") | Q(key__in=also)), "key"
    if "refunds" not in unread:
        moves = ~Q(status__in=REFUND_FINAL) | window.of_refunds.on("status_at")
        yield Refund.objects.filter(moves | Q(stripe_id__in=also)), "stripe_id"
    if "disputes" not in unread:
        moves = Q(phase=DisputePhase.OPEN) | window.on("status_at")
        yield Dispute.objects.filter(moves | Q(stripe_id__in=also)), "stripe_id"


def not_paid_as_said(window: Window, *, paid: Collection[tuple[str, object, object]]) -> Iterator[Subject]:
    """Subscriptions that call an invoice of the window the last one paid which is not (`paid`: those that are), and
    those whose running period nobody has paid for, as far as we have heard.
    """
    rows = Subscription.objects.filter(window.on("last_paid_at"))
    for said in rows.values_list("stripe_id", "last_paid_at", "paid_until"):
        if said not in paid:
            yield Subject(subscription=said[0])
    is_unpaid = Q(paid_until=None) | Q(paid_until__lt=F("period_end"))
    for name in Subscription.objects.filter(is_unpaid, status__in=CHARGED).values_list("stripe_id", flat=True):
        yield Subject(subscription=name)


def _read_subscription(raw: Json, at: datetime) -> Iterable[Fact]:
    return [StripeSubscription.read(raw).to_fact(at=at)]


def _read_invoice(raw: Json, at: datetime) -> Iterable[Fact]:
    invoice = StripeInvoice.read(raw)
    return [fact_of_invoice(invoice, at=at)] if invoice.refs.subscription and invoice.is_paid else []


def _read_fraud_warning(raw: Json, at: datetime) -> Iterable[Fact]:
    return [StripeFraudWarning.read(raw).to_fact(at=at)]


def _read_session(raw: Json, at: datetime) -> Iterable[Fact | None]:
    session, intent = StripeCheckoutSession.read(raw), find_object(raw, "payment_intent")
    yield from facts_of_session(session, intent, at=at)
    if intent:
        yield fact_of_payment(intent, refs=session.refs)


def _newest_status(facts: Sequence[Fact]) -> list[Fact]:
    """A session begins as open: only how far the buyer has come since says where the order stands."""
    statuses = [fact for fact in facts if isinstance(fact, OrderFact)]
    return [fact for fact in facts if not isinstance(fact, OrderFact)] + statuses[-1:]
