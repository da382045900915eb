"""The official CLI's `stripe trigger` against the emulator: every event reaches the product, and none fails there."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.conf import settings

from payments.ledger.models import PaymentEvent
from tests.support.emulator_process import RunningEmulator, running_emulator
from tests.support.processes import Process, running_worker, wait_until
from tests.support.stripe_cli import StripeCli, stripe_cli
from tests.support.web_server import web_server

TYPES = (
    "checkout.session.completed",
    "checkout.session.expired",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "payment_intent.requires_action",
    "charge.refunded",
    "charge.dispute.created",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "invoice.paid",
    "invoice.payment_failed",
    "setup_intent.succeeded",
)
AT_REST = ("PROCESSED", "IGNORED")


@dataclass
class Installation:
    """All that `make run` starts, but for the timetable."""

    emulator: RunningEmulator
    worker: Process

    def story(self) -> str:
        """What there is to read when a test fails."""
        rows = PaymentEvent.objects.order_by("pk").values_list("type", "status", "error")
        return f"{list(rows)}\n{self.emulator.process.output[-3000:]}\n{self.worker.output[-2000:]}"


@pytest.fixture
def cli(tmp_path) -> StripeCli:
    (tmp_path / "home").mkdir()
    return stripe_cli(tmp_path / "home")


@pytest.fixture
def installation(cli, tmp_path, transactional_db) -> Iterator[Installation]:
    for name in ("web", "worker", "emulator"):
        (tmp_path / name).mkdir()
    with web_server(tmp_path / "web") as server, running_worker(tmp_path / "worker") as worker:
        webhook = f"http://127.0.0.1:{server.port}/stripe/webhooks"
        with running_emulator(tmp_path / "emulator", webhook=webhook) as emulator:
            yield Installation(emulator, worker)


@pytest.mark.slow
class TestStripeTrigger:
    def test_of_every_type_ends_in_our_ledger(self, cli, installation):
        base, key = installation.emulator.url, settings.STRIPE_SECRET_KEY

        done = {event_type: cli.trigger(event_type, api_base=base, api_key=key) for event_type in TYPES}

        failed = [f"{name}: {run.stdout}{run.stderr}" for name, run in done.items() if run.returncode != 0]
        assert not failed, "\n".join(failed)
        wait_until(lambda: arrived() >= set(TYPES), or_show=installation.story)
        wait_until(all_at_rest, or_show=installation.story)


def arrived() -> set[str]:
    return set(PaymentEvent.objects.values_list("type", flat=True))


def all_at_rest() -> bool:
    return not PaymentEvent.objects.exclude(status__in=AT_REST).exists()
