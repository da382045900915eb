"""The Celery app: the whole timetable, and what every task finds when it starts."""

import os
import subprocess
import sys
from datetime import tzinfo
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import structlog
from celery import Celery, Task
from celery.apps import beat
from celery.schedules import crontab
from celery.signals import (
    beat_init,
    before_task_publish,
    celeryd_init,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_ready,
)
from django.conf import settings
from django.db import close_old_connections

from config.broker import broker
from config.command_line import sentence_instead_of_traceback
from config.startup import require_fit, settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def every(seconds: float, job: str) -> dict[str, Any]:
    """One line of the timetable. A tick that waited for its broker longer than a round is dropped, not made up for."""
    return {"task": job, "schedule": seconds, "options": {"expires": seconds}}


class SiteTime(crontab):
    """By the clock of the site: what people are told of happens in their night."""

    @cached_property
    def tz(self) -> tzinfo:  # type: ignore[override]  # the stubs take it for a name
        return ZoneInfo(settings.TIME_ZONE)


def nightly(hour: int, job: str) -> dict[str, Any]:
    """One line of the timetable for what is done once a day, at this hour (UTC)."""
    return {"task": job, "schedule": crontab(minute="0", hour=str(hour)), "options": {"expires": 3600}}


def at_night(clock: str, job: str) -> dict[str, Any]:
    """One line of the timetable for what is done once a day by the clock of the site: "03:40"."""
    hour, _colon, minute = clock.partition(":")
    return {"task": job, "schedule": SiteTime(minute=minute, hour=hour), "options": {"expires": 3600}}


with sentence_instead_of_traceback():
    BROKER = broker(settings.CELERY_BROKER_URL)


class Beat(beat.Beat):
    """The timetable's process sends names of tasks. Celery's own would load them all, and Django for them: without, it
    takes less than half the memory.
    """

    app: Celery

    def init_loader(self) -> None:
        """Ask a process that ends with its answer whether the site itself would start here; load nothing."""
        if code := subprocess.call([sys.executable, "-m", "config.startup"]):
            raise SystemExit(code)
        self.app.finalize()


class App(Celery):
    """Celery's, but for what its `beat` loads."""

    @cached_property
    def Beat(self) -> Any:
        return self.subclass_with_self(Beat)


app = App("config")
app.conf.update(BROKER)
app.conf.update(
    # --- the timetable (names: jobs.py of each app). The loops inside the worker do the same on their own, and go on
    # without a broker; this is the second string to the bow, should one of them hang.
    beat_schedule={
        "say that the timetable lives": every(30, "payments.heartbeat"),
        "watch for what is wrong": every(60, "payments.watch"),
        "requeue events whose names became known": every(60, "payments.sweep"),
        "deliver effects": every(60, "payments.deliver_effects"),
        "recover effects whose worker died": every(60, "payments.recover_effects"),
        "look after what could not be delivered": every(300, "payments.look_after_undelivered"),
        "seat people who paid and wait": every(60, "registrations.seat_waiting"),
        "offer free places to who waits": every(60, "registrations.offer_places"),
        "remind who has begun to pay": every(60, "registrations.remind_unpaid"),
        "finish calling activities off": every(60, "registrations.finish_calling_off"),
        "settle orders whose time is over": every(300, "payments.clean_up"),
        "ask Stripe about doubtful subscriptions": every(600, "payments.look_up_doubtful"),
        "tell of ends that come near": every(3600, "payments.tell_ending_soon"),
        "ask about people with two subscriptions": every(300, "payments.ask_about_second"),
        "warn of disputes that must be answered": every(3600, "payments.warn_of_deadlines"),
        "count the days again that have moved": every(60, "payments.refresh_figures"),
        "compare all daily figures with the rows": at_night("04:20", "payments.check_figures"),
        "take in events that were not delivered": every(600, "payments.backfill"),
        "go on closing an incident": every(60, "payments.go_on_closing"),
        "reconcile with Stripe": nightly(3, "payments.reconcile"),
        # When the reconciliation has put right what a payout is compared with.
        "read payouts and what they are made of": nightly(5, "payments.read_payouts"),
        "reconcile again what was cut short": every(1800, "payments.reconcile_again"),
        "look for drift of our endpoints at Stripe": every(600, "payments.check_endpoints"),
        "check that places add up": every(600, "registrations.check_places"),
        "repair accesses": at_night("03:40", "modules_access.repair"),
    },
    beat_schedule_filename=str(settings.VAR_DIR / "beat"),
    timezone="UTC",
    # --- messages: names and ids, nothing that must not be lost (the ledger is the queue)
    accept_content=["json"],
    task_serializer="json",
    result_backend=None,
    task_ignore_result=True,
    # Every task can run twice: so a killed worker's task is done again instead of lost.
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    # --- the broker may be away for as long as it likes; the default ends the worker after 46 minutes of it
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # --- database: the Django fix-up closes the connection before and after every task unless this number is reached
    # (celery/fixups/django.py: close_database); broken ones are closed in `start_clean` below instead.
    CELERY_DB_REUSE_MAX=sys.maxsize,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
)
# In the worker's own blueprint, so that it starts before the consumer and goes on while the broker is away.
app.steps["worker"].add("payments.processing.worker:ProcessingStep")
app.autodiscover_tasks()


@celeryd_init.connect
def refuse_to_start(**_signal: object) -> None:
    """No worker runs where the site itself would not; nor does the timetable (`Beat`)."""
    require_fit()


@beat_init.connect
def make_room(**_signal: object) -> None:
    """For the file in which beat notes what was due."""
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)


@setup_logging.connect
def keep_our_logging(**_signal: object) -> None:
    """Somebody answers, so Celery sets up no log handlers and levels of its own: config/logs.py has done it."""


@worker_ready.connect
def note_ready(**_signal: object) -> None:
    """Whoever has started the worker and waits for it looks for this file."""
    settle()
    if settings.WORKER_READY_FILE:
        Path(settings.WORKER_READY_FILE).touch()


@before_task_publish.connect
def send_request_id(headers: dict[str, Any], **_signal: object) -> None:
    """The request that asked for a task is named in the task's log lines too."""
    if request_id := structlog.contextvars.get_contextvars().get("request_id"):
        headers["request_id"] = request_id


@task_prerun.connect
def start_clean(task: Task, task_id: str, **_signal: object) -> None:
    """Every log line of the task names it and the request that asked for it (by the timetable, one of its own), and no
    task starts on a connection that the last one broke.
    """
    close_old_connections()
    request_id = task.request.get("request_id") or uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task=task.name, task_id=task_id, request_id=request_id)


@task_postrun.connect
def leave_clean(**_signal: object) -> None:
    """The thread's next task starts without this one's name."""
    structlog.contextvars.clear_contextvars()
