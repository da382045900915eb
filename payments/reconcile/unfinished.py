"""Runs that do not come to their end: tried again by the timetable, and told to staff when that does not help."""

from datetime import datetime

import structlog
from django.db import transaction
from django.utils.translation import gettext_noop

from payments.effects.deliver import Skip
from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.mail import Mail, mails, to_staff
from payments.effects.models import Effect
from payments.reconcile.models import ReconcileRun

log = structlog.get_logger(__name__)
ALERT_KIND = "alert.reconcile"
# One may be cut short by a moment without network; of so many in a row staff are told.
ALERT_AFTER = 2
FINISHED = Skip(gettext_noop("A later run has come to its end."))


def unfinished_runs() -> list[ReconcileRun]:
    """Those since the last one that came to its end, the oldest first, of the runs that go on from one another."""
    runs = ReconcileRun.objects.filter(is_continued=True, is_dry_run=False).order_by("pk")
    done = runs.filter(finished_at__isnull=False).order_by("-pk").values_list("pk", flat=True).first()
    return list(runs.filter(pk__gt=done or 0))


@transaction.atomic
def tell_unfinished(*, at: datetime) -> None:
    """Note the alert where several runs in a row were cut short: one for all of them, however many follow."""
    runs = unfinished_runs()
    if len(runs) < ALERT_AFTER:
        return
    log.error("reconcile.stays_unfinished", runs=len(runs), error=runs[-1].error)
    enqueue([EffectRequest(f"{ALERT_KIND}:{runs[0].pk}", ALERT_KIND, None)], at=at)


@mails(ALERT_KIND)
def stays_unfinished(effect: Effect) -> Mail | Skip:
    """Tells of the newest run; nothing where one has come to its end by now."""
    runs = unfinished_runs()
    if len(runs) < ALERT_AFTER:
        return FINISHED
    done = ReconcileRun.objects.filter(is_continued=True, is_dry_run=False, finished_at__isnull=False)
    complete_until = done.order_by("-until").values_list("until", flat=True).first()
    return to_staff({"run": runs[-1], "count": len(runs), "complete_until": complete_until}, page=runs[-1])
