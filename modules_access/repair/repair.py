"""Walks all sources in chunks and puts right what differs, every night or on demand; a dry run rolls it back."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from datetime import time as time_of_day
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from modules_access.entitlements import lock_accesses
from modules_access.models import ModuleAccess
from modules_access.repair.report import Difference, Report, difference_of
from modules_access.repair.sources import ALL_SOURCES, AccessSource
from payments.apply.outcome import Outcome, outcome_of
from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.mail import Mail, mails, to_staff
from payments.effects.models import Effect
from payments.locks import advisory_lock
from payments.sql import kept_or_untold, watching
from payments.statuses import EffectStatus

log = structlog.get_logger(__name__)
# As config/celery.py has it, by the site's clock.
REPAIR_AT = time_of_day(3, 40)
CHUNK_SIZE = 1000
MAX_HISTORY_SOURCE_LENGTH = 255
MAX_DIFFERENCES_IN_MAIL = 20
REPAIR_LOCK = "repair of accesses"
ALERT_KIND = "alert.accesses"
Progress = Callable[[int, int], None]


class AlreadyRepairing(RuntimeError):
    """Another repair is under options: it covers what this one would."""


@dataclass(frozen=True, slots=True)
class RepairOptions:
    """At which moment, by whom (a word, or a user with a reason), and whether everything is rolled back at the end."""

    at: datetime
    by: Any
    dry_run: bool = False
    is_looked_at: bool = False
    """Whether somebody reads all that comes of it."""

    @property
    def history_source(self) -> str:
        """What the history of an order or a subscription names as the source of the change."""
        return f"repair: {self.by}"[:MAX_HISTORY_SOURCE_LENGTH]


def repair(
    *, at: datetime, dry_run: bool, by: Any, progress: Progress | None = None, report: Report | None = None
) -> Report:
    """Bring every access in line with what gives it. Not to be called inside a transaction of any length.

    `progress` gets how many sources were compared, and of how many. `report`: one to fill, for callers that need it
    even if this is cut short, which leaves whole chunks. Raises AlreadyRepairing.
    """
    report = report or Report(at=at, dry_run=dry_run, by=str(by))
    options, began = RepairOptions(at, by, dry_run), time.perf_counter()
    with advisory_lock(REPAIR_LOCK, or_raise=AlreadyRepairing("Another repair is under way.")):
        total = sum(source.rows().count() for source in ALL_SOURCES) if progress else 0
        for source in ALL_SOURCES:
            for rows in _chunks(source):
                _repair_chunk(source, rows, options=options, report=report)
                report.seconds = time.perf_counter() - began
                if progress:
                    progress(report.compared.total(), max(total, report.compared.total()))
    report.seconds, report.is_complete = time.perf_counter() - began, True
    log.info(
        "access.compared" if dry_run else "access.repaired", by=str(by), looked=report.compared.total(),
        seconds=round(report.seconds, 2), **report.counts_by_kind(),
    )  # fmt: skip
    return report


def repair_chosen(chosen: Mapping[AccessSource, Collection[int]], *, options: RepairOptions) -> Report:
    """Bring the accesses of these sources in line, which somebody has looked at; whatever else is wrong stays."""
    report, began = Report(at=options.at, dry_run=options.dry_run, by=str(options.by)), time.perf_counter()
    for source, ids in chosen.items():
        report.compared[source.name] += len(ids)
        _repair_sources(source, sorted(set(ids)), options=options, report=report)
    report.seconds, report.is_complete = time.perf_counter() - began, True
    done = "access.compared" if options.dry_run else "access.repaired_by_hand"
    log.info(done, by=str(options.by), **report.counts_by_kind())
    return report


def repair_and_alert(*, at: datetime) -> Report:
    """Repair everything. What differed goes to the log as an error and to staff as one mail: accesses follow by
    themselves, so that anything had to be repaired is news. Raises AlreadyRepairing.
    """
    report = repair(at=at, dry_run=False, by="timetable")
    if report.total:
        log.error("access.healed", healed=report.total, **report.counts_by_kind())
        with transaction.atomic():
            enqueue([_alert_about(report)], at=at)
    return report


@mails(ALERT_KIND)
def accesses_were_healed(effect: Effect) -> Mail:
    """What was wrong is right by now; why it was wrong is the question."""
    data = effect.data
    more = max(0, data["healed"] - len(data["differences"]))
    context = {**data, **data["counts"], "more": more, "repaired_at": effect.created_at}
    return to_staff(context, page=reverse("admin:modules_access_paid_without"))


def _alert_about(report: Report) -> EffectRequest:
    data = {
        "healed": report.total, "counts": report.counts_by_kind(),
        "differences": [asdict(each) for each in report.differences[:MAX_DIFFERENCES_IN_MAIL]],
    }  # fmt: skip
    return EffectRequest(key=f"{ALERT_KIND}:{report.at:%Y%m%dT%H%M%S}", kind=ALERT_KIND, order_id=None, data=data)


def _chunks(source: AccessSource) -> Iterator[list[Any]]:
    """By id, so that each chunk costs as much as the first, however many there are."""
    last = 0
    while rows := list(source.rows().filter(**{f"{source.key}__gt": last}).order_by(source.key)[:CHUNK_SIZE]):
        yield rows
        last = getattr(rows[-1], source.key)


def _repair_chunk(source: AccessSource, rows: list[Any], *, options: RepairOptions, report: Report) -> None:
    """Compare without a lock; only what differs is locked, and worked out again under the lock."""
    ids = sorted({*source.differing(rows, at=options.at)} - report.repaired_ids[source.owner])
    _repair_sources(source, ids, options=options, report=report)
    report.compared[source.name] += len(rows)
    # What a dry run has shown of an order still differs when its tokens are compared.
    report.repaired_ids[source.owner].update(ids)


def _repair_sources(source: AccessSource, ids: Collection[int], *, options: RepairOptions, report: Report) -> None:
    if ids:
        report.add(*_follow(source, ids, options=options))


@kept_or_untold()
def _follow(
    source: AccessSource, ids: Collection[int], *, options: RepairOptions
) -> tuple[list[Difference], Counter[str], Outcome | None]:
    """What differed, the mails that were enqueued, by kind, and (of what was chosen) all else that comes of it.

    A dry run rolls it back.
    """
    source.lock(ids)
    which = source.accesses(ids)
    lock_accesses(which)
    before, mails_before = _accesses_by_id(which), _mails_of(source, ids)
    with watching() as seen:
        source.follow(ids, source=options.history_source, at=options.at)
        outcome = outcome_of(seen) if options.is_looked_at else None
    after = _accesses_by_id(which)
    new_mails = _mails_of(source, ids) - mails_before
    if options.dry_run:
        transaction.set_rollback(True)
    found = (difference_of(before.get(pk), row) for pk, row in after.items())
    return [each for each in found if each], new_mails, outcome


def _accesses_by_id(which: Q) -> dict[int, ModuleAccess]:
    rows = ModuleAccess.objects.filter(which).order_by("pk")
    return {row.pk: row for row in rows.select_related("user", "module", "order", "subscription", "token")}


def _mails_of(source: AccessSource, ids: Collection[int]) -> Counter[str]:
    """By kind. What was skipped does not count: it goes out when the repair asks for it again."""
    if not source.owner:
        return Counter()
    asked = Effect.objects.filter(**{f"{source.owner}__in": ids}).exclude(status=EffectStatus.SKIPPED)
    return Counter(asked.values_list("kind", flat=True))
