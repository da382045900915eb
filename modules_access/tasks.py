"""The task of the timetable: reads the clock and calls one service."""

import structlog
from celery import shared_task
from django.utils import timezone

from modules_access.repair import AlreadyRepairing
from modules_access.repair.repair import repair_and_alert
from modules_access.services.verify import forget_passes

log = structlog.get_logger(__name__)


@shared_task(name="modules_access.repair")
def repair_job(**_later: object) -> None:
    """Bring every access in line with what gives it, and tell staff if there was anything to heal."""
    at = timezone.now()
    forget_passes(at=at)
    try:
        repair_and_alert(at=at)
    except AlreadyRepairing:
        log.info("access.already_repairing")
