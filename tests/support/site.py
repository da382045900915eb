"""All that `make run` starts but the timetable: web server, worker and Stripe emulator, with the tests' database."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.db import connections
from django.test import override_settings

from tests.support.database import empty_tables
from tests.support.emulator_process import RunningEmulator, running_emulator
from tests.support.processes import Process, free_port, running, running_worker
from tests.support.web_server import OPTIONS

SETTINGS = "tests.browser.site_settings"
SELLER = {"SELLER_NAME": "Maison des arts", "SELLER_ADDRESS": "12 rue des Tanneurs | 69001 Lyon"}


@dataclass(frozen=True)
class Site:
    """A running installation. `mails`: the folder in which each mail that was sent is a file."""

    url: str
    web: Process
    worker: Process
    emulator: RunningEmulator
    mails: Path


@contextmanager
def running_site(directory: Path) -> Iterator[Site]:
    """Start everything, stop it, and leave the database as empty as it was.

    Each visitor counts as the client that X-Forwarded-For names, so that no test uses up the tries of another. This
    process belongs to the installation meanwhile: its commands ask the same emulator.
    """
    url = f"http://127.0.0.1:{free_port()}"
    for name in ("web", "worker", "emulator"):
        (directory / name).mkdir()
    cache.clear()
    with running_emulator(directory / "emulator", webhook=f"{url}/stripe/webhooks") as emulator:
        addresses = {"SITE_URL": url, "STRIPE_API_BASE": emulator.url, "STRIPE_EMULATOR_URL": emulator.url}
        mails = directory / "mails"
        told: dict[str, Any] = {"DJANGO_SETTINGS_MODULE": SETTINGS, "TRUSTED_PROXY_COUNT": "1", "MAILS": str(mails)}
        told |= {**SELLER, **addresses}
        with (
            _running_web(directory / "web", url, told) as web,
            running_worker(directory / "worker", **told) as worker,
            override_settings(**addresses),
        ):
            yield Site(url, web, worker, emulator, mails)
    _forget_everything()


@contextmanager
def _running_web(directory: Path, url: str, told: dict[str, str]) -> Iterator[Process]:
    """The web server of production, at an address that is known before it starts: mails and Stripe lead back there."""
    command = (sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", url.removeprefix("http://"))
    environment = {"LOG_LEVEL": "INFO", "VAR_DIR": str(directory), **told}
    with running(*command, *OPTIONS, log=directory / "web.log", environment=environment) as web:
        web.wait_for("Listening at")
        yield web


def _forget_everything() -> None:
    """As after each test that commits; the counters of clients lie in no model's table."""
    empty_tables()
    cache.clear()
    connections.close_all()
