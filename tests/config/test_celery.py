"""The Celery app: what it is set to, and what a task finds in a real worker."""

import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta

import pytest
from celery import Celery
from celery.schedules import crontab
from django.db import connection
from django.utils import timezone

import config.celery
from payments.effects.models import Effect
from payments.ledger.models import PaymentEvent
from payments.statuses import EventStatus
from tests.support.ledger_rows import is_all_done, waiting_events
from tests.support.processes import ROOT, for_test_database, running_worker, wait_until

SWEEP = "payments.sweep"
LOOPS = 4  # that a worker has beside its tasks: one drains, one delivers, one counts and watches, one closes incidents


def seconds_between(schedule):
    """So long from one round to the next: a number of seconds, or once a day."""
    return 24 * 3600 if isinstance(schedule, crontab) else schedule


def caller(broker_dir, settings):
    """Somebody who sends tasks to the worker that reads `broker_dir`."""
    settings.BROKER_DIR = broker_dir
    app = Celery("caller", set_as_current=False)
    app.conf.update(config.celery.broker("filesystem://"))
    return app


def held_event_that_nobody_holds():
    """What only a sweep picks up: an event set aside for a type that is not held back (any more)."""
    (event,) = waiting_events()
    PaymentEvent.objects.filter(pk=event.pk).update(
        status=EventStatus.HELD, next_attempt_at=timezone.now() + timedelta(days=1)
    )
    return event


def effect_was_tried() -> bool:
    return Effect.objects.filter(attempts__gt=0).exists()


@contextmanager
def settled_worker(directory, **options):
    """A worker whose own loop has swept already: the next sweep for a minute is a task's."""
    waiting_events()
    Effect.objects.create(key="early", kind="nobody.delivers", not_before=timezone.now(), created_at=timezone.now())
    with running_worker(directory, **options) as worker:
        worker.wait_for("ready.")
        wait_until(lambda: is_all_done() and effect_was_tried(), or_show=lambda: worker.output)
        # All loops have their connections by now; the one that the start needed is still to go.
        wait_until(lambda: len(sessions()) == LOOPS, or_show=lambda: worker.output)
        yield worker


def sessions():
    """The server processes that have worked for others than this test; who listens or rings the bell is not meant.

    Not meant either: who has only just connected, perhaps to listen or to ring, and what the server does by itself.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
            " AND query <> '' AND query NOT LIKE 'LISTEN%' AND query NOT LIKE 'NOTIFY%'"
        )
        return {pid for (pid,) in cursor.fetchall()}


def sweep_by_task(app, worker):
    """Have the worker run one task to its end. Returns the sessions that are there afterwards."""
    told = worker.output.count("sweep.queued")
    held_event_that_nobody_holds()
    app.send_task(SWEEP)
    wait_until(lambda: worker.output.count("sweep.queued") > told, or_show=lambda: worker.output)
    return sessions()


class TestTimetable:
    def test_names_jobs_that_exist(self):
        config.celery.app.loader.import_default_modules()

        assert {entry["task"] for entry in config.celery.app.conf.beat_schedule.values()} <= set(
            config.celery.app.tasks
        )
        assert SWEEP in config.celery.app.tasks

    def test_makes_nothing_up_for_the_time_without_a_broker(self):
        for entry in config.celery.app.conf.beat_schedule.values():
            assert entry["options"]["expires"] <= seconds_between(entry["schedule"])


class TestApp:
    def test_lets_the_broker_be_away_for_good(self):
        assert config.celery.app.conf.broker_connection_max_retries is None


class TestNoteReady:
    def test_makes_the_file_that_somebody_waits_for(self, settings, tmp_path):
        settings.WORKER_READY_FILE = str(tmp_path / "worker.ready")

        config.celery.note_ready()

        assert (tmp_path / "worker.ready").exists()


class TestWebProcess:
    def test_never_loads_celery(self):
        code = "import sys, config.wsgi; sys.exit('celery' in sys.modules)"

        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **for_test_database()}, check=False
        )

        assert done.returncode == 0


@pytest.mark.django_db(transaction=True)
class TestTask:
    def test_runs_with_arguments_of_a_later_version_and_names_itself_in_the_log(self, tmp_path, settings):
        with settled_worker(tmp_path) as worker:
            held_event_that_nobody_holds()

            sent = caller(tmp_path / "broker", settings).send_task(
                SWEEP, kwargs={"later": 1}, headers={"request_id": "req-of-the-caller"}
            )
            worker.wait_for("sweep.queued")

        (line,) = [line for line in worker.output.splitlines() if "sweep.queued" in line]
        assert SWEEP in line
        assert sent.id in line
        assert "req-of-the-caller" in line

    @pytest.mark.parametrize("pool", ["solo", "threads", "prefork"])
    def test_finds_the_connection_of_the_one_before(self, tmp_path, settings, pool):
        with settled_worker(tmp_path, pool=pool, concurrency=1) as worker:
            app = caller(tmp_path / "broker", settings)
            before = sessions()

            after_each = [sweep_by_task(app, worker) for _ in range(3)]

        assert len(after_each[0] - before) == 1
        assert after_each[0] == after_each[1] == after_each[2]

    def test_gets_a_new_connection_after_the_last_one_broke(self, tmp_path, settings):
        with settled_worker(tmp_path, concurrency=1) as worker:
            app = caller(tmp_path / "broker", settings)
            before = sessions()
            (own,) = sweep_by_task(app, worker) - before
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [own])

            (new,) = sweep_by_task(app, worker) - before

        assert new != own
