"""Takes in what Stripe's list of events has and the ledger has not, and moves the mark up to which none is missing."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import structlog
from django.conf import settings
from django.db import DataError, IntegrityError, transaction
from django.utils.translation import gettext_noop
from structlog.contextvars import get_contextvars

from payments.backfill.models import REASON_MAX_LENGTH, BackfillMark, BackfillRun, BackfillState
from payments.backfill.walk import LISTED_FOR, BudgetSpent, EventWalk, Slice
from payments.bell import ring_on_commit
from payments.handlers.registry import handled_types
from payments.ledger.models import EventSource
from payments.ledger.read_event import Incoming, MalformedEvent, read_event
from payments.ledger.record import record_new
from payments.locks import advisory_lock
from payments.orders.models import Order
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable, RateLimited
from payments.stripe_api.lookups import USUAL_RATE_LIMIT_WAIT, ThrottledStripe
from payments.stripe_api.snapshots import Json

log = structlog.get_logger(__name__)
BACKFILL_LOCK = "back-fill"
# Events are dated in whole seconds and may be listed late: each walk begins so long before the last one ended.
OVERLAP = timedelta(hours=1)
# What is younger may simply be on its way.
DELIVERY_TIME = timedelta(minutes=5)
# Questions of one run, of up to 100 events each: 30 seconds at the pace of long runs (docs/adr/0021-completeness.md).
REQUESTS_PER_RUN = 300
# So many are recorded by one statement.
RECORDED_AT_ONCE = 100
MAX_KEPT_EVENTS = 1000
KEPT_FOR = timedelta(days=30)
BUDGET_SPENT = gettext_noop("there is more than one run reads; the next one goes on")
ASKED_TO_WAIT = gettext_noop("Stripe asks for fewer questions; the next run goes on")
Clock = Callable[[], datetime]


class AlreadyRunning(RuntimeError):
    """Another walk is under way: it takes in what this one would."""


@dataclass(frozen=True, slots=True)
class BackfillOptions:
    """By whom, from when (None: where the last walk has stopped), whether only to look, and through whose calls."""

    by: str
    since: datetime | None = None
    dry_run: bool = False
    budget: int = REQUESTS_PER_RUN
    stripe: ThrottledStripe = field(default_factory=ThrottledStripe)


def backfill(*, options: BackfillOptions, clock: Clock) -> BackfillRun:
    """Walk, take in what is missing (unless it is a dry run), and keep what was found. Not to be called inside a
    transaction.

    Where Stripe does not answer, refuses or asks to wait, or the budget is used up, the run is kept as not finished,
    and the next one goes on where it stopped. Raises AlreadyRunning.
    """
    with advisory_lock(BACKFILL_LOCK, or_raise=AlreadyRunning("Another walk over Stripe's events is under way.")):
        at = clock()
        mark = BackfillMark.current(at=at)
        if options.since is None:
            _look_for_new_types(mark)
        run = _begin(mark, options, at=at)
        state = _walk(run, mark, options, clock)
        run.ended_at, run.finished = clock(), state == BackfillState.COMPLETE
        run.save()
        if not options.dry_run:
            mark.state, mark.missing, mark.last_run_at = state, run.missing, at
            mark.save()
            BackfillRun.objects.filter(started_at__lt=at - KEPT_FOR, missing=0).delete()
    say = log.warning if run.gap or not run.finished else log.info
    say(
        "backfill.done", run=run.pk, seen=run.seen, missing=run.missing, gap=run.gap, requests=run.requests,
        complete_up_to=mark.complete_up_to, finished=run.finished, reason=run.reason, dry_run=run.is_dry_run,
    )  # fmt: skip
    return run


def _look_for_new_types(mark: BackfillMark) -> None:
    """What a new version has learned to handle nobody has walked yet: all that Stripe lists is walked again."""
    types = handled_types()
    if not set(types) <= set(mark.types):
        mark.complete_from = mark.complete_up_to = None
    mark.types = types


def _begin(mark: BackfillMark, options: BackfillOptions, *, at: datetime) -> BackfillRun:
    """The run as it starts: over what was asked for, or over what the mark has left, as far as Stripe lists it."""
    listed_since, up_to = at - LISTED_FOR, mark.complete_up_to
    usual = min(up_to, at) - OVERLAP if up_to is not None else listed_since
    asked, lost = options.since or usual, options.since or up_to
    return BackfillRun.objects.create(
        started_at=at, since=max(asked, listed_since), until=at, is_dry_run=options.dry_run, by=options.by,
        unlisted_since=lost if lost and lost < listed_since else None,
    )  # fmt: skip


def _walk(run: BackfillRun, mark: BackfillMark, options: BackfillOptions, clock: Clock) -> BackfillState:
    """Fill in what the run finds. Returns how it ended."""
    if mark.wait_until and run.started_at < mark.wait_until:
        run.reason = ASKED_TO_WAIT
        return BackfillState.WAITING
    walk = EventWalk(options.stripe, options.budget)
    mark.wait_until = None
    try:
        for part in walk.slices(since=run.since, until=run.until):
            _take_in(part, run, clock)
            _move(mark, run, options)
    except BudgetSpent:
        run.reason = BUDGET_SPENT
        return BackfillState.BEHIND
    except RateLimited as limit:
        run.reason = ASKED_TO_WAIT
        mark.wait_until = clock() + timedelta(seconds=limit.retry_after or USUAL_RATE_LIMIT_WAIT)
        return BackfillState.WAITING
    except (GatewayUnavailable, GatewayRefused) as trouble:
        run.reason = str(trouble)[:REASON_MAX_LENGTH]
        return BackfillState.FAILED
    finally:
        run.requests = walk.requests
    return BackfillState.COMPLETE


def _move(mark: BackfillMark, run: BackfillRun, options: BackfillOptions) -> None:
    """Up to where the run has come; not by a dry run, nor over a time that nobody has walked."""
    if options.dry_run or run.reached is None:
        return
    begins_anew = options.since is None and (mark.complete_up_to is None or run.unlisted_since is not None)
    if begins_anew:
        mark.complete_from, mark.complete_up_to = run.since, run.reached
    elif mark.complete_from and mark.complete_up_to and run.since <= mark.complete_up_to:
        if run.reached >= mark.complete_from:
            mark.complete_from = min(mark.complete_from, run.since)
        mark.complete_up_to = max(mark.complete_up_to, run.reached)
    mark.save()


def _take_in(part: Slice, run: BackfillRun, clock: Clock) -> None:
    for first in range(0, len(part.missing), RECORDED_AT_ONCE):
        _record_page(part.missing[first : first + RECORDED_AT_ONCE], run, clock)
    run.seen, run.reached = run.seen + part.seen, part.until
    run.save()


def _record_page(page: Sequence[Json], run: BackfillRun, clock: Clock) -> None:
    """Record them, and note in the run what of them was not here."""
    troubles: dict[str, str] = {}
    incoming = _read(page, troubles)
    if run.is_dry_run:
        missing = {each.id for each in incoming}
    else:
        missing = set(_record(incoming, troubles, at=clock()))
        ring_on_commit()
    # What a delivery has brought meanwhile is not missing.
    missing |= set(troubles)
    should_be_here = _should_be_here(run)
    for raw in page:
        if raw["id"] in missing:
            is_gap = should_be_here.start <= raw["created"] < should_be_here.stop
            _note(raw, run, trouble=troubles.get(raw["id"], ""), is_gap=is_gap)


def _should_be_here(run: BackfillRun) -> range:
    """The seconds whose events somebody should have delivered: since the site has sold something, and not just now."""
    first = Order.objects.order_by("pk").values_list("created_at", flat=True).first()
    until = int((run.started_at - DELIVERY_TIME).timestamp())
    return range(int(first.timestamp()) if first else until, until)


def _note(raw: Json, run: BackfillRun, *, trouble: str, is_gap: bool) -> None:
    run.missing, run.gap = run.missing + 1, run.gap + is_gap
    occurred_at = datetime.fromtimestamp(raw["created"], tz=UTC).isoformat()
    told = {"id": raw["id"], "type": raw["type"], "occurred_at": occurred_at, "trouble": trouble}
    if len(run.events) < MAX_KEPT_EVENTS:
        run.events.append(told)
    say = log.error if trouble else log.info
    say("backfill.missing", run=run.pk, stripe_event=raw["id"], type=raw["type"], error=trouble or None)


def _read(page: Iterable[Json], troubles: dict[str, str]) -> list[Incoming]:
    """As a delivery is read; `troubles` tells of those that cannot be, by their ids."""
    found = []
    for raw in page:
        body_sha256 = sha256(json.dumps(raw).encode()).hexdigest()
        try:
            incoming = read_event(
                raw, body_sha256=body_sha256, expected_livemode=settings.STRIPE_LIVEMODE,
                expected_account=settings.STRIPE_ACCOUNT,
            )  # fmt: skip
        except MalformedEvent as error:
            troubles[raw["id"]] = str(error)
        else:
            found.append(incoming)
    return found


def _record(incoming: Sequence[Incoming], troubles: dict[str, str], *, at: datetime) -> dict[str, int]:
    """The ledger's ids by Stripe's; one that cannot be stored must not stand in the way of the others."""
    request_id = str(get_contextvars().get("request_id", ""))
    try:
        with transaction.atomic():
            return record_new([(each, request_id) for each in incoming], source=EventSource.BACKFILL, at=at)
    except (DataError, IntegrityError) as error:
        if len(incoming) == 1:
            troubles[incoming[0].id] = type(error).__name__
            return {}
    return {id: key for each in incoming for id, key in _record([each], troubles, at=at).items()}
