"""Doorways for the timetable: each reads the clock and calls one service; extra arguments are for later versions."""

from celery import shared_task
from django.utils import timezone

from payments import bell, jobs
from payments.actions.cleanup import clean_up
from payments.effects.deliver import deliver_all, recover_claimed
from payments.processing.rematch import requeue_naming
from payments.processing.sweep import sweep


@shared_task(name=jobs.SWEEP)
def sweep_job(**_later: object) -> None:
    """Queue again what became possible meanwhile, and wake the drain for it."""
    if sweep(at=timezone.now()):
        bell.ring()


@shared_task(name=jobs.DELIVER_EFFECTS)
def deliver_effects_job(**_later: object) -> None:
    """Deliver every effect that is due."""
    deliver_all(clock=timezone.now)


@shared_task(name=jobs.RECOVER_EFFECTS)
def recover_effects_job(**_later: object) -> None:
    """Settle the effects whose worker died while it delivered them."""
    recover_claimed(at=timezone.now())


@shared_task(name=jobs.CLEAN_UP)
def clean_up_job(**_later: object) -> None:
    """Settle the orders whose time is over, and queue the events again whose order is known by that."""
    summary = clean_up(at=timezone.now())
    requeue_naming(summary.taught, at=timezone.now())
