"""A production that would lose money or secrets does not start: web, worker and timetable say why, in a line each."""

import os
import string
import subprocess
import sys

import pytest
from structlog.testing import capture_logs

from config.env import ROOT
from config.startup import WEB_EXIT_CODE, require_fit
from tests.support.factories import OrderFactory
from tests.support.processes import for_test_database, free_port

UNFIT = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
    "SECRET_KEY": "short",
    "STRIPE_SECRET_KEY": "sk_test_a",
    "STRIPE_EMULATOR": "1",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
FAULTS = ("No webhook secret", "a Stripe key of test mode", "no address for alerts", "can be guessed", "emulator is")
CELERY = ("celery", "-A", "config")
PROGRAMS = {
    "worker": (*CELERY, "worker", "--pool=threads", "--concurrency=1"),
    "beat": (*CELERY, "beat", "--pidfile="),
    "web": ("gunicorn", "-c", "python:config.serving", "config.wsgi", "--log-level", "critical"),
}


def start(program, **environment):
    """What it did, and what it said, in an environment that has nothing else."""
    command = [sys.executable, "-m", *PROGRAMS[program]]
    if program == "web":
        command += ["--bind", f"127.0.0.1:{free_port()}"]
    env = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)


@pytest.fixture
def production(settings):
    """As it should be, but for what a test spoils."""
    settings.ENVIRONMENT, settings.PRODUCTION = "production", True
    settings.STRIPE_LIVEMODE, settings.STRIPE_EMULATOR = True, False
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRETS = "sk_live_a", ["whsec_a"]
    settings.STRIPE_ALERT_EMAIL, settings.SECRET_KEY = ["staff@example.com"], string.ascii_letters
    settings.REDIS_URL = ""
    return settings


@pytest.mark.slow
@pytest.mark.parametrize("program", list(PROGRAMS))
class TestPrograms:
    def test_say_all_that_is_wrong_in_a_line_each(self, program):
        done = start(program, **UNFIT)

        told = [line for line in done.stderr.splitlines() if line.startswith("Not started: ")]
        assert done.returncode != 0
        assert all(any(fault in line for line in told) for fault in FAULTS), done.stderr
        assert len(told) == len(FAULTS)
        assert "Traceback" not in done.stderr + done.stdout

    def test_say_in_one_sentence_which_setting_means_nothing(self, program):
        done = start(program, **UNFIT, STRIPE_RATE_LIMIT_MAX="five")

        assert done.returncode != 0
        assert "STRIPE_RATE_LIMIT_MAX is 'five'; it must be a whole number." in done.stderr.splitlines()
        assert "Traceback" not in done.stderr + done.stdout


@pytest.fixture
def _without_emulator(monkeypatch):
    """The tests' own settings have it installed, which its check would refuse."""
    monkeypatch.setattr("stripe_emulator.apps.IN_PRODUCTION.level", 0)
    monkeypatch.setattr("stripe_emulator.apps.LIVE_KEY.level", 0)


@pytest.mark.django_db
@pytest.mark.usefixtures("_without_emulator")
class TestRequireFit:
    def test_is_content_where_all_is_well(self, production):
        require_fit()

    @pytest.mark.parametrize(
        ("name", "value", "words"),
        [
            ("STRIPE_SECRET_KEY", "rk_test_a", "a Stripe key of test mode"),
            ("STRIPE_WEBHOOK_SECRETS", [], "No webhook secret is configured"),
            ("STRIPE_ALERT_EMAIL", [], "no address for alerts"),
            ("SECRET_KEY", "x" * 60, "SECRET_KEY can be guessed"),
            ("CACHES", {"default": {"LOCATION": "no_such_table"}}, "no_such_table) is missing"),
        ],
    )
    def test_ends_the_process_with_one_sentence(self, production, capsys, name, value, words):
        setattr(production, name, value)

        with pytest.raises(SystemExit) as end:
            require_fit(code=WEB_EXIT_CODE)

        [line] = capsys.readouterr().err.splitlines()
        assert end.value.code == WEB_EXIT_CODE
        assert line.startswith("Not started: ")
        assert words in line

    def test_wants_no_table_where_redis_counts(self, production):
        production.REDIS_URL = "redis://127.0.0.1:1/0"
        production.CACHES = {"default": {"LOCATION": "no_such_table"}}

        require_fit()

    def test_refuses_nothing_outside_production(self, settings):
        settings.STRIPE_ALERT_EMAIL = []

        require_fit()

    def test_names_settings_that_do_nothing(self, settings, monkeypatch):
        monkeypatch.setenv("STRIPE_WEBHOOK_URL", "https://shop.example/hooks")

        with capture_logs() as logs:
            require_fit()

        assert any("STRIPE_WEBHOOK_URL is set and not used" in each.get("message", "") for each in logs)


@pytest.mark.django_db(transaction=True)
class TestCommands:
    def test_speak_english_whatever_the_site_speaks(self):
        number = OrderFactory(status="PAID").number
        command = [sys.executable, "manage.py", "refund", number, "--amount", "much", "--reason", "x", "--yes"]

        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **for_test_database()}, capture_output=True, text=True, timeout=60
        )

        assert (done.returncode, done.stdout) == (1, "")
        assert "“much” is no amount." in done.stderr
