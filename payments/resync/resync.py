"""Asks Stripe for all of something, shows what differs, and applies it by the road that events take."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.models import User
from payments.apply.apply import apply
from payments.apply.batch import FactSet, guarded
from payments.apply.outcome import Outcome, outcome_of
from payments.billing.models import Customer, Subscription
from payments.ledger.record import requeue_naming
from payments.names import registration_of
from payments.orders.models import CheckoutAttempt, Order, Reference
from payments.resync.stripe_state import (
    StripeState,
    known_money,
    state_of_customer,
    state_of_order,
    state_of_subscription,
)
from payments.sql import kept_or_untold, watching
from payments.statuses import SubscriptionStatus
from payments.stripe_api import lookups
from payments.stripe_api.lookups import RATE_LIMIT_PATIENCE, ThrottledStripe
from payments.stripe_api.snapshots import StripeSubscription

log = structlog.get_logger(__name__)
SOURCE = "resync"
SOURCE_MAX_LENGTH = 255
# A row that an event moves while Stripe answers is asked for again.
MAX_QUESTIONS = 3
MAX_SUBSCRIPTIONS_PER_RUN = 100
# A renewal is told within the hour in which the period ends, and collected an hour later.
RENEWAL_EVENT_DELAY = timedelta(hours=2)
RENEWING = (SubscriptionStatus.ACTIVE, SubscriptionStatus.TRIALING, SubscriptionStatus.PAST_DUE)
Change = tuple[str, str, str]


class KeepsMoving(RuntimeError):
    """The row changed each time while Stripe was being asked: try again in a moment."""


class HasMoved(RuntimeError):
    """Something differs that was not shown (the text names where): look again. Nothing was changed there."""


@dataclass(frozen=True, slots=True)
class ResyncTarget:
    """What is asked for. `rows`: what may have moved while Stripe answered, in the order in which it is locked."""

    name: str
    ask: Callable[[], StripeState]
    rows: Sequence[QuerySet[Any]]
    needs_resync: bool = False
    named_in_log: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResyncOptions:
    """At which moment, by whom (a word or a user), whether only to see, and through whose calls.

    `expected`: the fingerprints of what was shown, by subject; where anything else differs, HasMoved is raised.
    """

    at: datetime
    by: Any = SOURCE
    dry_run: bool = False
    stripe: ThrottledStripe = field(default_factory=partial(ThrottledStripe, patience=RATE_LIMIT_PATIENCE))
    expected: Mapping[str, Collection[str]] | None = None


@dataclass(frozen=True, slots=True)
class Resynced:
    """What differed (`changes`: what, here, at Stripe) of `subject`; `missing`: names that Stripe does not know.

    `was_asked` False: there was no name by which Stripe could be asked. `refusal`: why nothing of it was taken in.
    """

    subject: str
    changes: list[Change] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    is_dry_run: bool = False
    was_asked: bool = True
    refusal: str = ""
    outcome: Outcome | None = None
    """All that comes of it, where somebody looks: of a dry run, and of what was agreed to."""

    @property
    def fingerprints(self) -> list[str]:
        """What stands for all of it where somebody agrees to it."""
        return [*map(_fingerprint, self.changes), *(self.outcome.fingerprints if self.outcome else ())]


@dataclass(slots=True)
class ResyncSummary:
    """What one run did: asked about so many, of which so many had changed; `failed`: Stripe did not answer."""

    asked: int = 0
    changed: int = 0
    failed: int = 0


def resync_order(order: Order, *, options: ResyncOptions, also: Collection[str] = ()) -> Resynced:
    """Bring the order in line with its sessions and payments at Stripe. Not to be called inside a transaction.

    `also`: names of sessions and payments that somebody has found to be the order's. Raises GatewayUnavailable,
    GatewayRefused, MalformedObject, KeepsMoving; then nothing has changed.
    """

    def ask() -> StripeState:
        # Every name that leads to the order: what one row has lost another may still know.
        names = {*also, *Reference.objects.filter(order=order).values_list("name", flat=True)}
        money = known_money(Q(order=order), also=names)
        return state_of_order(sessions=_sessions_of(order, also=names), known=money, stripe=options.stripe)

    told = {"order": order.pk, "order_number": order.number, "registration": registration_of(order)}
    return _resync(ResyncTarget(order.number, ask, [Order.objects.filter(pk=order.pk)], named_in_log=told), options)


def resync_subscription(name: str, *, options: ResyncOptions) -> Resynced:
    """Bring the subscription (`sub_…`), its money and its customer in line with Stripe.

    One that is ours and not known yet is learned. Not to be called inside a transaction; raises as resync_order does.
    """
    own = Subscription.objects.filter(stripe_id=name)

    def ask() -> StripeState:
        stripe_updated_at = own.values_list("stripe_updated_at", flat=True).first()
        money = known_money(Q(subscription__in=own))
        return state_of_subscription(name, stripe=options.stripe, after=stripe_updated_at, known=money)

    rows: list[QuerySet[Any]] = [Order.objects.filter(subscriptions__stripe_id=name), own]
    return _resync(ResyncTarget(name, ask, rows, needs_resync=own.filter(needs_resync=True).exists()), options)


def resync_person(email: str, *, options: ResyncOptions) -> list[Resynced]:
    """Everything that belongs to an e-mail address: orders, customers, and all their subscriptions at Stripe."""
    return _resync_all(Order.objects.filter(email=email), Q(email=email) | Q(user__email=email), options)


def resync_user(user: User, *, options: ResyncOptions) -> list[Resynced]:
    """As resync_person, of an account: what was bought with it under another address as well."""
    return _resync_all(Order.objects.filter(belongs_to(user)), belongs_to(user), options)


def belongs_to(user: User) -> Q:
    """The condition that finds the orders and the customers of an account."""
    return Q(user=user) | Q(email=user.email)


def _resync_all(orders: QuerySet[Order], customers: Q, options: ResyncOptions) -> list[Resynced]:
    done = [resync_order(order, options=options) for order in orders.order_by("pk")]
    for customer in Customer.objects.filter(customers).distinct().order_by("pk"):
        done += resync_customer(customer, options=options)
    return done


def resync_customer(customer: Customer, *, options: ResyncOptions) -> list[Resynced]:
    """Who the customer is, and all their subscriptions at Stripe."""
    name, rows = customer.stripe_id, [Customer.objects.filter(pk=customer.pk)]
    own = _resync(ResyncTarget(name, lambda: state_of_customer(name, stripe=options.stripe), rows), options)
    return [own, *(resync_subscription(each, options=options) for each in _subscriptions_of(customer, options.stripe))]


def resync_where_needed(*, options: ResyncOptions, limit: int = MAX_SUBSCRIPTIONS_PER_RUN) -> ResyncSummary:
    """Resync the subscriptions that need it, those that have waited longest first.

    Whatever goes wrong with one costs only that one.
    """
    summary = ResyncSummary()
    rows = subscriptions_in_need(at=options.at).order_by(
        "-needs_resync", F("stripe_updated_at").asc(nulls_first=True), "pk"
    )
    for name in rows.values_list("stripe_id", flat=True)[:limit]:
        result = guarded(partial(resync_subscription, name, options=options))
        summary.asked += 1
        if isinstance(result, Exception):
            summary.failed += 1
            log.warning("subscription.not_looked_up", subscription=name, error=str(result))
        else:
            summary.changed += bool(result.changes)
    return summary


def subscriptions_in_need(*, at: datetime) -> QuerySet[Subscription]:
    """Subscriptions of which our news may be incomplete: contradicted, behind, or silent for too long."""
    before = at - RENEWAL_EVENT_DELAY
    is_silent = Q(status__in=RENEWING, period_end__lt=before, stripe_updated_at__lt=before)
    return Subscription.objects.filter(Q(needs_resync=True) | is_silent)


def _sessions_of(order: Order, *, also: Collection[str]) -> list[str]:
    """Its sessions, the oldest first, and those among other names."""
    attempts = CheckoutAttempt.objects.filter(order=order).exclude(session="").order_by("number")
    others = sorted(name for name in also if name.startswith("cs_"))
    return list(dict.fromkeys([*attempts.values_list("session", flat=True), *others]))


def _subscriptions_of(customer: Customer, stripe: ThrottledStripe) -> list[str]:
    """Those that Stripe knows and those that we know, each once."""
    known = set(customer.subscriptions.values_list("stripe_id", flat=True))
    if customer.deleted_at:
        return sorted(known)
    listed = stripe.call(lookups.subscriptions_of, customer.stripe_id)
    return sorted(known | {StripeSubscription.read(raw).refs.subscription for raw in listed})


def _resync(target: ResyncTarget, options: ResyncOptions) -> Resynced:
    for _question in range(MAX_QUESTIONS):
        before = _picture(target)
        state = target.ask()
        if not state.facts:
            was_asked = bool(state.missing) or state.said_at is not None
            return Resynced(target.name, missing=state.missing, is_dry_run=options.dry_run, was_asked=was_asked)
        if (done := _apply(target, state, before, options)) is not None:
            return done
    raise KeepsMoving(target.name)


def _apply(target: ResyncTarget, state: StripeState, before: str, options: ResyncOptions) -> Resynced | None:
    """Apply what Stripe says; in a dry run, or where nothing differs, find out and roll back. None: a row has moved."""
    source = f"{SOURCE}: {options.by}"[:SOURCE_MAX_LENGTH]
    fact_set = FactSet(state.facts, source=source, occurred_at=state.said_at or options.at, is_full_snapshot=True)
    with kept_or_untold(durable=True), watching() as seen:
        if _picture(target, lock=True) != before:
            return None
        report = apply([fact_set], at=options.at)
        applied = report.applied[0]
        if applied.error:
            raise applied.error
        changes = [change for change in applied.folded.changes if change[0] != "superseded"]
        changes += [(f"name {name}", "", target.name) for name in sorted(report.new_references)]
        outcome = outcome_of(seen) if options.dry_run or options.expected is not None else None
        done = Resynced(target.name, changes, state.missing, options.dry_run, refusal=applied.reason, outcome=outcome)
        if options.expected is not None and not {*done.fingerprints} <= {*options.expected.get(target.name, ())}:
            # What has been put right since differs no more; what is new was agreed to by nobody.
            raise HasMoved(target.name)
        is_kept = not options.dry_run and (bool(changes) or target.needs_resync)
        transaction.set_rollback(not is_kept)
    if is_kept:
        requeue_naming(report.new_references, at=options.at)
        log.info(
            "resync.done", subject=target.name, by=str(options.by), changes=len(changes), missing=state.missing,
            **target.named_in_log,
        )  # fmt: skip
    return done


def _fingerprint(change: Change) -> str:
    """Equal for equal differences, whenever they are looked at."""
    return sha256(repr(change).encode()).hexdigest()[:32]


def _picture(target: ResyncTarget, *, lock: bool = False) -> str:
    """How its rows are at this moment."""
    seen = []
    for rows in target.rows:
        ordered = rows.order_by("pk")
        locked = ordered.select_for_update(no_key=True, of=("self",)) if lock else ordered
        seen += [[getattr(row, field.attname) for field in row._meta.concrete_fields] for row in locked]
    return repr(seen)
