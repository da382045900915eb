"""Reads what has moved Stripe's balance since the last time, and every payout that may have moved since; asks about
what does not add up.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from payments.locks import advisory_lock
from payments.money import with_amounts
from payments.orders.models import OrderException
from payments.payouts.judge import judge
from payments.payouts.keep import keep_entries, keep_payout, release_others
from payments.payouts.models import Payout, PayoutWalk
from payments.products import Question
from payments.sql import kept_or_untold
from payments.statuses import ExceptionKind, PayoutStatus
from payments.stripe_api import balance
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.stripe_api.lookups import ThrottledStripe
from payments.stripe_api.snapshots import StripeEntry, StripePayout

log = structlog.get_logger(__name__)
PAYOUTS_LOCK = "payouts"
ERROR_MAX_LENGTH, MAX_KEPT_FINDINGS = 500, 200
# The first walk goes back so far: the month before this one is whole then.
FIRST_SPAN = timedelta(days=62)
# Each walk begins before the last one did, so that nothing falls between two.
OVERLAP = timedelta(days=1)
# A payout that was called paid may still fail, within five business days: https://docs.stripe.com/api/payouts/object
STATUS_MOVES = timedelta(days=10)
# What Stripe has not finished by then is not asked about any more.
PATIENCE = timedelta(days=60)
NOT_FINAL = (PayoutStatus.PENDING, PayoutStatus.IN_TRANSIT)
MISSING = "resource_missing"
Clock = Callable[[], datetime]


class AlreadyReading(RuntimeError):
    """Another walk is under way: it covers what this one would."""


def read_payouts(
    *, clock: Clock, stripe: ThrottledStripe, since: datetime | None = None, dry_run: bool = False
) -> PayoutWalk:
    """Read, keep (unless it is a dry run), and ask staff. Not to be called inside a transaction.

    `since` None: from before the begin of the last walk that came to its end. Where Stripe does not answer, or refuses,
    the walk is kept as not finished, and the next one covers its time as well. Raises AlreadyReading.
    """
    with advisory_lock(PAYOUTS_LOCK, or_raise=AlreadyReading("Payouts are being read already.")):
        at = clock()
        walk = PayoutWalk.objects.create(
            started_at=at, since=since or next_since(at=at), is_continued=since is None, is_dry_run=dry_run
        )
        reading = _Reading(walk, stripe, at)
        try:
            reading.read()
            walk.finished_at = clock()
        except (GatewayUnavailable, GatewayRefused) as trouble:
            walk.error = str(trouble)[:ERROR_MAX_LENGTH]
        read = {"payouts": len(reading.seen), "entries": len(reading.entries)}
        walk.counts, walk.findings = {**read, **reading.counts}, reading.findings[:MAX_KEPT_FINDINGS]
        walk.save()
    log.info("payouts.read", walk=walk.pk, error=walk.error, dry_run=dry_run, **walk.counts)
    return walk


def next_since(*, at: datetime) -> datetime:
    """Where a walk that goes on from the last one begins."""
    last = PayoutWalk.last_complete()
    return last.started_at - OVERLAP if last else at - FIRST_SPAN


@dataclass(slots=True)
class _Reading:
    """One walk. `seen`, `entries`: the payouts and the entries that were read."""

    walk: PayoutWalk
    stripe: ThrottledStripe
    at: datetime
    seen: set[str] = field(default_factory=set)
    entries: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=lambda: Counter(questions=0, manual=0))
    findings: list[dict[str, str]] = field(default_factory=list)

    def read(self) -> None:
        """The entries first: what a payment got in all must be known before a payout is judged."""
        for page in balance.entries_since(self.stripe, since=self.walk.since):
            self._keep_entries(page)
        for payouts in balance.payouts_since(self.stripe, since=self.walk.since - STATUS_MOVES):
            for payout in payouts:
                self._read_payout(payout)
        for payout in self._unsettled():
            self._read_payout(payout)

    def _unsettled(self) -> Iterator[StripePayout]:
        """Older ones of which something is still expected, looked up singly."""
        asked = OrderException.objects.filter(kind=ExceptionKind.PAYOUT_MISMATCH, is_open=True).values("subject")
        waits = Q(status__in=NOT_FINAL) | Q(status=PayoutStatus.PAID, is_automatic=True, is_complete=False)
        young = Q(created_at__gte=self.at - PATIENCE)
        rows = Payout.objects.filter((waits & young) | Q(stripe_id__in=asked), livemode=settings.STRIPE_LIVEMODE)
        for name in list(rows.exclude(stripe_id__in=self.seen).values_list("stripe_id", flat=True)):
            try:
                yield balance.look_up_payout(self.stripe, payout=name)
            except GatewayRefused as refusal:
                # Made with other keys, or before Stripe's test data was deleted.
                if refusal.code != MISSING:
                    raise

    def _read_payout(self, told: StripePayout) -> None:
        entries = self._entries_of(told)
        with kept_or_untold():
            payout = keep_payout(told, at=self.at)
            keep_entries(entries, payout=payout)
            release_others(payout, [entry.id for entry in entries])
            question = judge(payout, at=self.at)
            transaction.set_rollback(self.walk.is_dry_run)
        self.seen.add(told.id)
        self.entries |= {entry.id for entry in entries}
        self.counts["manual"] += not told.is_automatic
        if question.is_open:
            self._note(question)

    def _entries_of(self, told: StripePayout) -> list[StripeEntry]:
        """Stripe lists none of a payout that was made by hand."""
        pages = balance.entries_of(self.stripe, payout=told.id) if told.is_automatic else iter(())
        return [entry for page in pages for entry in page]

    def _keep_entries(self, page: list[StripeEntry]) -> None:
        self.entries |= {entry.id for entry in page}
        with transaction.atomic():
            keep_entries(page)
            transaction.set_rollback(self.walk.is_dry_run)

    def _note(self, question: Question) -> None:
        """In English, as logs and the command line read it."""
        self.counts["questions"] += 1
        sentence = question.detail % with_amounts(question.values)
        self.findings.append({"payout": question.subject, "sentence": sentence})
