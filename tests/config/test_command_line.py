"""`manage.py` says in one sentence what whoever runs it can put right."""

import os
import subprocess
import sys
from argparse import ArgumentTypeError
from datetime import UTC, date, datetime

import psycopg
import pytest
import time_machine
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError

from config.command_line import past_day, why_refused


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings_test", **environment},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


class TestManage:
    def test_says_in_one_line_that_there_is_no_database(self):
        finished = run("cleanup_expired", DATABASE_URL="postgres://nobody@127.0.0.1:1/nothing")

        assert finished.returncode == 1
        assert finished.stderr.startswith("The database cannot be used: ")
        assert "Traceback" not in finished.stderr
        assert len(finished.stderr.splitlines()) == 1

    def test_shows_where_a_refusal_comes_from_when_asked(self):
        finished = run("cleanup_expired", "--traceback", DATABASE_URL="postgres://nobody@127.0.0.1:1/nothing")

        assert "Traceback" in finished.stderr


class TestWhyRefused:
    def test_gives_the_sentence_about_a_setting(self):
        assert why_refused(ImproperlyConfigured("PORT must be a number.")) == "PORT must be a number."

    @pytest.mark.parametrize(
        "cause", [psycopg.OperationalError, psycopg.errors.InvalidPassword, psycopg.errors.AdminShutdown]
    )
    def test_knows_a_database_that_is_not_there(self, cause):
        error = OperationalError("no\nsuch thing")
        error.__cause__ = cause("no such thing")

        assert why_refused(error) == "The database cannot be used: no such thing"

    def test_leaves_what_went_wrong_in_a_statement_to_whoever_reads_tracebacks(self):
        error = OperationalError("deadlock detected")
        error.__cause__ = psycopg.errors.DeadlockDetected("deadlock detected")

        assert why_refused(error) == ""


class TestPastDay:
    def test_takes_a_day_up_to_the_one_that_has_begun_where_the_site_is(self):
        with time_machine.travel(datetime(2026, 11, 20, 23, 30, tzinfo=UTC), tick=False):
            assert past_day("2026-11-21") == date(2026, 11, 21)  # in Paris
            with pytest.raises(ArgumentTypeError, match="in the future"):
                past_day("2026-11-22")

    @pytest.mark.parametrize("text", ["", "2026-13-01", "2026-02-30", "yesterday", "2026-11-20T10:00", "1999-12-31"])
    def test_refuses_any_other_word(self, text):
        with pytest.raises(ArgumentTypeError):
            past_day(text)
