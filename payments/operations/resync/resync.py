"""Asks Stripe for all of something, shows what differs, and applies it by the road that events take."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet

from payments.apply.apply import apply
from payments.apply.batch import FactSet
from payments.billing.models import Customer, Subscription
from payments.operations.resync.asking import Asking
from payments.operations.resync.known import names_of, rows_of, sessions_of
from payments.operations.resync.truth import Truth, truth_of_customer, truth_of_order, truth_of_subscription
from payments.orders.models import Order
from payments.processing.drain import requeue_naming
from payments.stripe_api.snapshots import StripeSubscription

log = structlog.get_logger(__name__)
SOURCE = "resync"
# A row that an event moves while Stripe answers is asked for again.
MOST_LOOKS = 3
LONGEST_SOURCE = 255
Change = tuple[str, str, str]


class KeepsMoving(RuntimeError):
    """The row changed each time while Stripe was being asked: try again in a moment."""


class HasMoved(RuntimeError):
    """Something differs that was not shown (the text names where): look again. Nothing was changed there."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked for. `rows`: what may have moved while Stripe answered, in the order in which it is locked."""

    name: str
    look: Callable[[], Truth]
    rows: Sequence[QuerySet[Any]]
    needs_resync: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """How it is done: at which moment, by whom (a word or a user), whether only to see, and with whose questions.

    `expected`: the signs of what was shown, by subject; where anything else differs, HasMoved is raised instead.
    """

    at: datetime
    by: Any = SOURCE
    dry_run: bool = False
    stripe: Asking = field(default_factory=Asking)
    expected: Mapping[str, Collection[str]] | None = None


@dataclass(frozen=True, slots=True)
class Resynced:
    """What differed (`changes`: what, here, at Stripe) of `subject`; `missing`: names that Stripe does not know."""

    subject: str
    changes: list[Change] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    is_dry_run: bool = False

    @property
    def signs(self) -> list[str]:
        """What stands for each difference where somebody agrees to it."""
        return [_sign_of(change) for change in self.changes]


def _sign_of(change: Change) -> str:
    """The same for the same difference, whenever it is looked at."""
    return sha256(repr(change).encode()).hexdigest()[:32]


def resync_order(order: Order, *, way: Way, also: Collection[str] = ()) -> Resynced:
    """Bring the order in line with its sessions and payments at Stripe. Not to be called inside a transaction.

    `also`: names of sessions and payments that somebody has found to be the order's. Raises GatewayUnavailable,
    GatewayRefused, MalformedObject, KeepsMoving; then nothing has changed.
    """

    def look() -> Truth:
        names = {*also, *names_of(order)}
        rows = rows_of(Q(order=order), also=names)
        return truth_of_order(sessions=sessions_of(order, also=names), rows=rows, stripe=way.stripe)

    return _resync(Subject(order.number, look, [Order.objects.filter(pk=order.pk)]), way)


def resync_subscription(name: str, *, way: Way) -> Resynced:
    """Bring the subscription (`sub_…`), its money and its customer in line with Stripe.

    One that is ours and not known yet is learned. Not to be called inside a transaction; raises as resync_order does.
    """
    own = Subscription.objects.filter(stripe_id=name)

    def look() -> Truth:
        stripe_updated_at = own.values_list("stripe_updated_at", flat=True).first()
        return truth_of_subscription(
            name, stripe=way.stripe, after=stripe_updated_at, rows=rows_of(Q(subscription__in=own))
        )

    rows: list[QuerySet[Any]] = [Order.objects.filter(subscriptions__stripe_id=name), own]
    return _resync(Subject(name, look, rows, needs_resync=own.filter(needs_resync=True).exists()), way)


def resync_person(email: str, *, way: Way) -> list[Resynced]:
    """Everything that belongs to an e-mail address: orders, customers, and all their subscriptions at Stripe."""
    orders = Order.objects.filter(email=email.lower()).order_by("pk")
    done = [resync_order(order, way=way) for order in orders]
    own = Customer.objects.filter(Q(email=email.lower()) | Q(user__email=email.lower())).distinct().order_by("pk")
    for customer in own:
        done += resync_customer(customer, way=way)
    return done


def resync_customer(customer: Customer, *, way: Way) -> list[Resynced]:
    """Who the customer is, and all their subscriptions at Stripe."""
    name, rows = customer.stripe_id, [Customer.objects.filter(pk=customer.pk)]
    own = _resync(Subject(name, lambda: truth_of_customer(name, stripe=way.stripe), rows), way)
    return [own, *(resync_subscription(each, way=way) for each in _subscriptions_of(customer, way.stripe))]


def _subscriptions_of(customer: Customer, stripe: Asking) -> list[str]:
    """Those that Stripe knows and those that we know, each once."""
    known = set(customer.subscriptions.values_list("stripe_id", flat=True))
    if customer.deleted_at:
        return sorted(known)
    told = stripe.many("subscriptions_of", customer.stripe_id)
    return sorted(known | {StripeSubscription.read(raw).refs.subscription for raw in told})


def _resync(subject: Subject, way: Way) -> Resynced:
    for _look in range(MOST_LOOKS):
        before = _seen(subject)
        truth = subject.look()
        if not truth.facts:
            return Resynced(subject.name, missing=truth.missing, is_dry_run=way.dry_run)
        if (changes := _tell(subject, truth, before, way)) is not None:
            return Resynced(subject.name, changes, truth.missing, way.dry_run)
    raise KeepsMoving(subject.name)


def _tell(subject: Subject, truth: Truth, before: str, way: Way) -> list[Change] | None:
    """Apply the truth; in a dry run, or where nothing differs, find out and roll back. None: a row has moved."""
    source = f"{SOURCE}: {way.by}"[:LONGEST_SOURCE]
    fact_set = FactSet(truth.facts, source=source, occurred_at=truth.said_at or way.at, is_full_snapshot=True)
    with transaction.atomic(durable=True):
        if _seen(subject, lock=True) != before:
            return None
        report = apply([fact_set], at=way.at)
        applied = report.applied[0]
        if applied.error:
            raise applied.error
        changes = [change for change in applied.folded.changes if change[0] != "superseded"]
        changes += [(f"name {name}", "", subject.name) for name in sorted(report.new_references)]
        if way.expected is not None and not _was_shown(changes, way.expected.get(subject.name, ())):
            raise HasMoved(subject.name)
        is_kept = not way.dry_run and (bool(changes) or subject.needs_resync)
        transaction.set_rollback(not is_kept)
    if is_kept:
        requeue_naming(report.new_references, at=way.at)
        log.info("resync.done", subject=subject.name, by=str(way.by), changes=len(changes), missing=truth.missing)
    return changes


def _was_shown(changes: Sequence[Change], signs: Collection[str]) -> bool:
    """What has been put right since differs no more; what is new was agreed to by nobody."""
    return all(_sign_of(change) in signs for change in changes)


def _seen(subject: Subject, *, lock: bool = False) -> str:
    """How its rows are at this moment."""
    seen = []
    for rows in subject.rows:
        ordered = rows.order_by("pk")
        locked = ordered.select_for_update(no_key=True, of=("self",)) if lock else ordered
        seen += [[getattr(row, field.attname) for field in row._meta.concrete_fields] for row in locked]
    return repr(seen)
