"""The repair of the night: that anything had to be healed is news for staff, since accesses follow by themselves."""

from dataclasses import asdict
from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction

from modules_access.repair.repair import repair
from modules_access.repair.report import Report
from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.mail import Mail, mails
from payments.effects.models import Effect

log = structlog.get_logger(__name__)
KIND = "alert.accesses"
BY = "timetable"
MOST_TOLD = 20


def repair_and_tell(*, at: datetime) -> Report:
    """Repair everything; what was healed goes to the log as an error and to staff as one mail. See `repair`."""
    report = repair(at=at, dry_run=False, by=BY)
    if report.total:
        log.error("access.healed", healed=report.total, **report.by_word())
        with transaction.atomic():
            enqueue([_alert_about(report)], at=at)
    return report


def _alert_about(report: Report) -> EffectRequest:
    data = {
        "healed": report.total, "counts": report.by_word(),
        "differences": [asdict(each) for each in report.differences[:MOST_TOLD]],
    }  # fmt: skip
    return EffectRequest(key=f"{KIND}:{report.at:%Y%m%dT%H%M%S}", kind=KIND, order_id=None, data=data)


@mails(KIND)
def accesses_were_healed(effect: Effect) -> Mail:
    """What was wrong is right by now; why it was wrong is the question."""
    told = effect.data
    more = max(0, told["healed"] - len(told["differences"]))
    context = {**told, **told["counts"], "more": more, "repaired_at": effect.created_at}
    return Mail(to=tuple(settings.STRIPE_ALERT_EMAIL), language=settings.LANGUAGE_CODE, context=context)
