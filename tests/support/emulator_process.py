"""The Stripe emulator as the process that `make run` starts, on a free port, with the tests' database."""

import io
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import stripe
from django.conf import settings
from django.core.management import call_command

from tests.support.processes import Process, free_port, running, wait_until

COMMAND = (
    *(sys.executable, "-m", "gunicorn", "-c", "python:stripe_emulator.serving", "stripe_emulator.wsgi"),
    *("--no-control-socket", "--env", "DJANGO_SETTINGS_MODULE=config.settings_emulator"),
)


@dataclass(frozen=True)
class RunningEmulator:
    """A running emulator; `client` is the official one, as the gateway makes it."""

    port: int
    process: Process
    client: stripe.StripeClient

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running_emulator(directory: Path, *, webhook: str = "", **environment: str) -> Iterator[RunningEmulator]:
    """Start it, wait until it answers, stop it. `webhook`: where it delivers every event to, signed as the site wants.

    Call it with a test database that other processes can see (`transaction=True`).
    """
    if webhook:
        secret = settings.STRIPE_WEBHOOK_SECRETS[0]
        call_command("stripe_emulator", "endpoint", "--url", webhook, "--secret", secret, stdout=io.StringIO())
    port = free_port()
    told = {
        "STRIPE_EMULATOR": "1",
        "STRIPE_EMULATOR_URL": f"http://127.0.0.1:{port}",
        "STRIPE_SECRET_KEY": settings.STRIPE_SECRET_KEY,
        "VAR_DIR": str(directory),
        "LOG_LEVEL": "INFO",
        **environment,
    }
    command = (*COMMAND, "--bind", f"127.0.0.1:{port}")
    with running(*command, log=directory / "emulator.log", environment=told) as process:
        emulator = RunningEmulator(port, process, _client(f"http://127.0.0.1:{port}"))
        wait_until(lambda: _answers(emulator), or_show=lambda: process.output)
        yield emulator
        process.stop()


def _client(url: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        stripe_version=settings.STRIPE_API_VERSION,
        base_addresses={"api": url},
        max_network_retries=0,
    )


def _answers(emulator: RunningEmulator) -> bool:
    assert emulator.process.is_running, emulator.process.output
    with closing(HTTPConnection("127.0.0.1", emulator.port, timeout=30)) as client:
        try:
            client.request("GET", "/v1/account")
            return client.getresponse().status == 401
        except OSError:
            return False
