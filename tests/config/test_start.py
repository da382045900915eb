"""What a process loads at its start, and what it leaves to others: time and memory that would come back unseen."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

from tests.support.processes import ROOT, for_test_database

# What a timetable has no use for: tasks and whom they call, pages, the driver of the database.
NOT_FOR_BEAT = (
    *("payments", "registrations", "modules_access", "accounts"),
    *("django.contrib.admin", "django.urls.resolvers", "rest_framework", "drf_spectacular", "gunicorn"),
    *("psycopg", "stripe", "requests", "prometheus_client"),
)
NOT_FOR_WEB = ("celery", "kombu", "drf_spectacular.generators", "django.core.mail.backends.smtp", "config.celery")
# Those of the tests load more.
SETTINGS = {"DJANGO_SETTINGS_MODULE": "config.settings"}


def run(code, **environment):
    """Python of its own, in which `loaded(names)` are those of these modules that are there."""
    told = """
        import gc, sys
        def loaded(names):
            return [name for name in names if sys.modules.get(name)]
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(told) + textwrap.dedent(code)],
        env={**os.environ, **for_test_database(), **SETTINGS, **environment},
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def sent_names(var_dir):
    """The tasks whose messages lie in the broker's directory."""
    files = (var_dir / "broker" / "queue").glob("*.msg")
    return [json.loads(file.read_text())["headers"]["task"] for file in files]


class TestBeat:
    def test_loads_no_task_and_nothing_of_the_site(self):
        code = f"""
            from config.celery import app
            app.Beat().init_loader()
            print(loaded({NOT_FOR_BEAT}))
        """

        assert run(code) == "[]"

    def test_sends_all_of_the_timetable_by_name(self, tmp_path):
        code = """
            from celery.beat import Scheduler
            from config.celery import app
            app.Beat().init_loader()
            scheduler = Scheduler(app=app)
            for entry in scheduler.schedule.values():
                scheduler.apply_entry(entry)
            print(sorted(entry.task for entry in scheduler.schedule.values()))
        """

        timetable = run(code, VAR_DIR=str(tmp_path), CELERY_BROKER_URL="filesystem://")

        assert str(sorted(sent_names(tmp_path))) == timetable


class TestWeb:
    def test_loads_nothing_of_the_worker_and_makes_no_schema(self):
        assert run(f"import config.wsgi; print(loaded({NOT_FOR_WEB}))") == "[]"

    def test_is_settled_before_it_forks(self):
        code = """
            import config.serving, config.wsgi
            print(config.serving.preload_app, gc.get_freeze_count() > len(gc.get_objects()), gc.isenabled())
        """

        assert run(code) == "True True True"


class TestManage:
    @pytest.mark.parametrize("command", ["check", "help"])
    def test_looks_for_garbage_only_in_what_the_command_makes(self, command):
        code = f"""
            from config.command_line import manage
            manage(["manage.py", "{command}"])
            print(gc.get_freeze_count() > len(gc.get_objects()), gc.isenabled())
        """

        assert run(code) == "True True"
