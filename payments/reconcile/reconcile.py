"""Walks Stripe's objects of a window against ours, and ours against Stripe's; puts right or asks; keeps the report."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog

from payments.facts import Fact, InvoiceFact
from payments.locks import advisory_lock
from payments.reconcile.compare import compare
from payments.reconcile.fixes import (
    Fixes,
    ReferencePass,
    ReferenceRepair,
    asked_about,
    chunks_of,
    stale_orders,
    stale_subscriptions,
)
from payments.reconcile.models import HERE, Done, Finding, ReconcileRun, RunReport
from payments.reconcile.unfinished import tell_unfinished
from payments.reconcile.window import (
    UNPAID_INVOICES,
    StripeList,
    Subject,
    Window,
    lists_of_money,
    lists_of_money_back,
    not_listed,
    not_paid_as_said,
    open_invoices_before,
    orders_of,
    our_invoices,
    subscriptions_of,
)
from payments.resync import ResyncOptions
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable, KeyRefused
from payments.stripe_api.snapshots import Json, MalformedObject

log = structlog.get_logger(__name__)
RECONCILE_LOCK = "reconciliation"
ERROR_MAX_LENGTH = 500
Clock = Callable[[], datetime]


class AlreadyRunning(RuntimeError):
    """Another run is under way: it covers what this one would."""


def reconcile(*, window: Window, options: ResyncOptions, clock: Clock) -> ReconcileRun:
    """Compare, put right (unless it is a dry run), and keep what was found. Not to be called inside a transaction.

    Where Stripe does not answer, or refuses one of its lists, the run is kept as not finished, and the next one covers
    its window as well. Raises AlreadyRunning.
    """
    with advisory_lock(RECONCILE_LOCK, or_raise=AlreadyRunning("Another reconciliation is under way.")):
        run = ReconcileRun.objects.create(
            started_at=clock(), since=window.since, until=window.until, is_continued=window.is_continued,
            is_dry_run=options.dry_run, by=str(options.by),
        )  # fmt: skip
        report = RunReport()
        walk = _Walk(window, options, clock, report)
        try:
            walk.walk()
        except (GatewayUnavailable, GatewayRefused) as trouble:
            run.error = str(trouble)[:ERROR_MAX_LENGTH]
        run.error = run.error or "; ".join(filter(None, report.unchecked.values()))[:ERROR_MAX_LENGTH]
        run.finished_at = None if report.unchecked else clock()
        run.counts, run.findings, run.open_invoices = report.counts, report.kept, walk.open_invoices
        run.save()
        tell_unfinished(at=clock())
    log.info(
        "reconcile.done", run=run.pk, error=run.error, not_checked=sorted(report.unchecked), dry_run=options.dry_run,
        **report.counts,
    )  # fmt: skip
    return run


@dataclass(slots=True)
class _Walk:
    """One run.

    `listed`: the ids that Stripe's lists contained; `paid`: the invoices among them, as far as paid; `open_invoices`:
    those that nobody has paid yet, with the subscription of ours that each belongs to.
    """

    window: Window
    options: ResyncOptions
    clock: Clock
    report: RunReport
    listed: set[str] = field(default_factory=set)
    paid: set[tuple[str, object, object]] = field(default_factory=set)
    open_invoices: dict[str, str] = field(default_factory=dict)
    fixes: Fixes = field(init=False)

    def __post_init__(self) -> None:
        self.fixes = Fixes(self.options, self.report, self.clock)

    def walk(self) -> None:
        """There, and back again."""
        money, money_back = lists_of_money(self.window), lists_of_money_back(self.window)
        self.report.unchecked = dict.fromkeys([*(each.what for each in [*money, *money_back]), HERE], "")
        self._repair_references(ReferencePass.OWNERS)
        self._compare_all(money)
        self._read("invoices", self._ask_about_open_invoices)
        self._repair_references(ReferencePass.WRONG)
        self._compare_all(money_back)
        self._ask_about_not_listed()
        self.fixes.resync_put_off()
        self._recompute()
        self._repair_references(ReferencePass.ALL)
        del self.report.unchecked[HERE]

    def _compare_all(self, lists: list[StripeList]) -> None:
        refused = {each.what for each in lists if not self._read(each.what, partial(self._compare_list, each))}
        for what in {each.what for each in lists} - refused:
            del self.report.unchecked[what]

    def _read(self, what: str, read: Callable[[], None]) -> bool:
        """Whether the list could be read; one that Stripe refuses costs only itself."""
        try:
            read()
        except KeyRefused:
            raise
        except GatewayRefused as refusal:
            self.report.unchecked[what] = str(refusal)
            log.warning("reconcile.list_refused", list=what, code=refusal.code, error=str(refusal))
            return False
        return True

    def _compare_list(self, source: StripeList) -> None:
        for page in self.options.stripe.pages(source.what, source.params):
            self._compare(source, page)

    def _ask_about_open_invoices(self) -> None:
        """Those that wait for their money, however old they are; what was open at the last run and is no more."""
        for status in UNPAID_INVOICES:
            for page in self.options.stripe.pages("invoices", {"status": status}):
                self.open_invoices |= our_invoices(page)
        for invoice, subscription in open_invoices_before().items():
            if invoice not in self.open_invoices:
                self.fixes.resync(Subject(subscription=subscription))

    def _compare(self, source: StripeList, page: list[Json]) -> None:
        fresh = [raw for raw in page if raw["id"] not in self.listed]
        self.listed |= {raw["id"] for raw in fresh}
        self.report.compared[source.what] += len(fresh)
        found = compare({raw["id"]: self._facts_of(source, raw) for raw in fresh})
        self.report.foreign += found.foreign
        ReferenceRepair(self.report, self.options.dry_run).given(found.names)
        for row, known in found.moved:
            self.fixes.move(row, known)
        for subject, also in found.suspects.items():
            self.fixes.resync(subject, also)
        self.fixes.ask_about_lost(found.lost.items())

    def _facts_of(self, source: StripeList, raw: Json) -> list[Fact]:
        try:
            facts = source.facts_of(raw, at=self.clock())
        except MalformedObject as error:
            self.report.add(Finding(raw["id"], source.what, "", str(error), Done.FAILED))
            return []
        invoices = [fact for fact in facts if isinstance(fact, InvoiceFact)]
        self.paid |= {(fact.refs.subscription, fact.paid_at, fact.period_end) for fact in invoices}
        return facts

    def _ask_about_not_listed(self) -> None:
        """What is here and was in no list is asked about singly."""
        unread = {what for what, refusal in self.report.unchecked.items() if refusal}
        for subject, name in list(not_listed(self.window, listed=self.listed, also=asked_about(), unread=unread)):
            self.fixes.resync(subject, {name})
        for subject in list(not_paid_as_said(self.window, paid=self.paid)):
            self.fixes.resync(subject)

    def _recompute(self) -> None:
        """What is stored must be what its own parts say."""
        for ids in chunks_of(orders_of(self.window)):
            self.report.compared["orders here"] += len(ids)
            for order_id in stale_orders(ids):
                self.fixes.recompute(order_id)
        for name in list(stale_subscriptions(subscriptions_of(self.window))):
            self.fixes.resync(Subject(subscription=name))

    def _repair_references(self, which: ReferencePass) -> None:
        repair = ReferenceRepair(self.report, self.options.dry_run, which)
        for ids in chunks_of(orders_of(self.window)):
            repair.orders(ids)
        for ids in chunks_of(subscriptions_of(self.window)):
            repair.subscriptions(ids)
