"""Walks Stripe's objects of a window against ours, and ours against Stripe's; puts right or asks; keeps the report."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import connection

from payments.facts import Fact, InvoiceFact
from payments.operations.reconcile.chunks import chunks_of
from payments.operations.reconcile.heal import Healing, asked_about
from payments.operations.reconcile.judge import judge
from payments.operations.reconcile.listed import Listed, lists_of_money, lists_of_returns
from payments.operations.reconcile.models import ReconcileRun
from payments.operations.reconcile.names import Mending, Which
from payments.operations.reconcile.ours import orders_of, subscriptions_of, unexplained, unseen
from payments.operations.reconcile.report import Done, Finding, Report
from payments.operations.reconcile.settled import unsettled, unsettled_subscriptions
from payments.operations.reconcile.window import Window
from payments.operations.resync import Way
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.stripe_api.snapshots import Json, MalformedObject

log = structlog.get_logger(__name__)
# Any number will do, as long as nothing else in the database locks it.
LOCK = 7_291_504_419
LONGEST_ERROR = 500
Clock = Callable[[], datetime]


class AlreadyRunning(RuntimeError):
    """Another run is under way: it covers what this one would."""


def reconcile(*, window: Window, way: Way, clock: Clock) -> ReconcileRun:
    """Compare, put right (unless `way` only looks), and keep what was found. Not to be called inside a transaction.

    Where Stripe does not answer, the run is kept as not finished, and the next one covers its window as well. Raises
    AlreadyRunning.
    """
    with _alone():
        run = ReconcileRun.objects.create(
            started_at=clock(), since=window.since, until=window.until, is_continued=window.is_continued,
            is_dry_run=way.dry_run, by=str(way.by),
        )  # fmt: skip
        report = Report()
        try:
            _Walk(window, way, clock, report).walk()
        except (GatewayUnavailable, GatewayRefused) as trouble:
            run.error = str(trouble)[:LONGEST_ERROR]
        else:
            run.finished_at = clock()
        run.counts, run.findings = report.counts, report.kept
        run.save()
    log.info("reconcile.done", run=run.pk, error=run.error, dry_run=way.dry_run, **report.counts)
    return run


@contextmanager
def _alone() -> Iterator[None]:
    """One run at a time, on any number of machines; a run that dies lets go with its connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise AlreadyRunning("Another reconciliation is under way.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


@dataclass(slots=True)
class _Walk:
    """One run. `seen`: the ids that Stripe's lists contained; `paid`: the invoices among them, as far as paid."""

    window: Window
    way: Way
    clock: Clock
    report: Report
    seen: set[str] = field(default_factory=set)
    paid: set[tuple[str, object, object]] = field(default_factory=set)
    healing: Healing = field(init=False)

    def __post_init__(self) -> None:
        self.healing = Healing(self.way, self.report, self.clock)

    def walk(self) -> None:
        """There, and back again."""
        self._mend(Which.OWNERS)
        self._compare_all(lists_of_money(self.window))
        self._mend(Which.WRONG)
        self._compare_all(lists_of_returns(self.window))
        self._look_back()
        self.healing.heal_again()
        self._settle()
        self._mend(Which.ALL)

    def _compare_all(self, lists: list[Listed]) -> None:
        for listed in lists:
            for page in self.way.stripe.pages(listed.what, listed.params):
                self._compare(listed, page)

    def _compare(self, listed: Listed, page: list[Json]) -> None:
        fresh = [raw for raw in page if raw["id"] not in self.seen]
        self.seen |= {raw["id"] for raw in fresh}
        self.report.compared[listed.what] += len(fresh)
        judged = judge({raw["id"]: self._facts_of(listed, raw) for raw in fresh})
        self.report.foreign += judged.foreign
        Mending(self.report, self.way.dry_run).given(judged.names)
        for row, known in judged.moved:
            self.healing.move(row, known)
        for subject, also in judged.suspects.items():
            self.healing.heal(subject, also)
        self.healing.ask_about_lost(judged.lost.items())

    def _facts_of(self, listed: Listed, raw: Json) -> list[Fact]:
        try:
            facts = listed.facts_of(raw, at=self.clock())
        except MalformedObject as error:
            self.report.add(Finding(raw["id"], listed.what, "", str(error), Done.FAILED))
            return []
        told = [fact for fact in facts if isinstance(fact, InvoiceFact)]
        self.paid |= {(fact.refs.subscription, fact.paid_at, fact.period_end) for fact in told}
        return facts

    def _look_back(self) -> None:
        """What is here and was in no list is asked about singly."""
        for subject, name in list(unseen(self.window, seen=self.seen, asked=asked_about())):
            self.healing.heal(subject, {name})
        for subject in list(unexplained(self.window, paid=self.paid)):
            self.healing.heal(subject)

    def _settle(self) -> None:
        """What is stored must be what its own parts say."""
        for ids in chunks_of(orders_of(self.window)):
            self.report.compared["orders here"] += len(ids)
            for order_id in unsettled(ids):
                self.healing.recompute(order_id)
        for name in list(unsettled_subscriptions(subscriptions_of(self.window))):
            self.healing.heal_subscription(name)

    def _mend(self, which: Which) -> None:
        mending = Mending(self.report, self.way.dry_run, which)
        for ids in chunks_of(orders_of(self.window)):
            mending.orders(ids)
        for ids in chunks_of(subscriptions_of(self.window)):
            mending.subscriptions(ids)
