"""The same buyers in calm and in a storm: whatever the deliveries go through, the end is the same.

The number of buyers: `CHAOS_BUYERS=1000 make test ARGS="tests/journeys/test_chaos.py -k storm"`.
"""

import io
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.models import F

from payments.billing.models import Payment
from payments.ledger.models import PaymentEvent
from payments.orders.models import OrderException
from registrations.models import Activity, Registration
from stripe_emulator.models import Delivery
from tests.support.buyers import SCARCE, sell
from tests.support.deep import so_many
from tests.support.emulator_process import RunningEmulator, running_emulator
from tests.support.processes import Process, running_worker, wait_until
from tests.support.web_server import web_server

BUYERS = int(os.environ.get("CHAOS_BUYERS", so_many(8, deep=40)))
SECONDS = 60 + 2 * BUYERS
STORM = ("--seed", "7", "--duplicates", "3", "--shuffle", "25", "--drop", "10")
HURRICANE = (
    *STORM,
    "--same-second",
    "--wrong-livemode", "10",
    "--other-version", "30",
    "--unreachable", "10",
    "--lost-answer", "10",
    "--rotation",
)  # fmt: skip


def chaos(*arguments: str) -> None:
    emulator_command("chaos", *arguments)


def emulator_command(*arguments: str) -> None:
    call_command("stripe_emulator", *arguments, stdout=io.StringIO())


def everything_arrived() -> bool:
    """Nothing is under way any more, and what arrived has been worked off."""
    waiting = PaymentEvent.objects.exclude(status__in=["PROCESSED", "IGNORED"])
    return not Delivery.objects.filter(state="pending").exists() and not waiting.exists()


@contextmanager
def installation(directory: Path) -> Iterator[tuple[Process, RunningEmulator]]:
    """The web server, a worker and the emulator, which delivers to it."""
    (directory / "web").mkdir()
    (directory / "worker").mkdir()
    with (
        web_server(directory / "web") as server,
        running_worker(directory / "worker") as worker,
        running_emulator(directory, webhook=f"http://127.0.0.1:{server.port}/stripe/webhooks") as emulator,
    ):
        yield worker, emulator


def let_everything_arrive(worker: Process, emulator: RunningEmulator) -> None:
    """Through the storm; then, in calm weather, what it has swallowed."""
    wait_until(everything_arrived, seconds=SECONDS, or_show=lambda: emulator.process.output[-5000:])
    chaos("--off")
    emulator_command("resend", "--undelivered")
    wait_until(everything_arrived, seconds=SECONDS, or_show=lambda: worker.output[-5000:])


def ends(registrations: Sequence[Registration]) -> list[object]:
    """What became of each buyer, in order; ids and moments differ from run to run."""
    return [
        (
            row.status,
            row.holds_place,
            row.order.status,
            row.order.amount_received,
            row.order.amount_refunded,
            row.order.dispute_state,
            sorted(row.order.payments.values_list("received", "refunded")),
            sorted(row.order.refunds.values_list("amount", "status")),
            sorted(row.order.disputes.values_list("amount", "status")),
            sorted(row.order.exceptions.filter(is_open=True).values_list("kind", flat=True)),
        )
        for row in Registration.objects.filter(pk__in=[each.pk for each in registrations]).order_by("pk")
    ]


def places_are_right(activity: Activity) -> bool:
    activity.refresh_from_db()
    return activity.places_taken == activity.registrations.filter(holds_place=True).count()


def unexplained(activity: Activity) -> list[str]:
    """Payments whose money is here, and which have neither bought a place nor raised a question."""
    rows = Registration.objects.filter(activity=activity).select_related("order")
    with_money = rows.filter(order__payments__received__gt=F("order__payments__refunded")).distinct()
    return [
        f"{row.order.number}: {row.order.status}, {row.holds_place=}"
        for row in with_money
        if not (row.order.status == "PAID" and row.holds_place)
        and not row.order.exceptions.filter(is_open=True).exists()
    ]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestChaos:
    def test_leaves_no_money_without_a_place_or_a_question(self, tmp_path, make_activity, settings):
        with installation(tmp_path) as (worker, emulator):
            settings.STRIPE_API_BASE = emulator.url
            chaos(*HURRICANE)
            activity = make_activity(slug="scarce", capacity=max(2, BUYERS // 6))

            sell(BUYERS, activity=activity, stripe=emulator.client, fates=SCARCE)
            let_everything_arrive(worker, emulator)
            charges = list(emulator.client.v1.charges.list({"limit": 100}).auto_paging_iter())

        assert unexplained(activity) == []
        assert places_are_right(activity)
        assert activity.places_taken <= activity.capacity
        paid_at_stripe = {charge.payment_intent for charge in charges if charge.paid}
        assert paid_at_stripe == set(Payment.objects.filter(received__gt=0).values_list("key", flat=True))
        # Open, or closed by now because a place has become free.
        asked = OrderException.objects.filter(kind="NO_PLACE")
        assert asked.exists(), "nobody came too late, so this has shown nothing"

    @pytest.mark.parametrize("storm", [STORM, HURRICANE], ids=["storm", "hurricane"])
    def test_ends_where_calm_deliveries_do(self, tmp_path, make_activity, settings, storm):
        seen = {}
        with installation(tmp_path) as (worker, emulator):
            settings.STRIPE_API_BASE = emulator.url
            for weather in ((), storm):
                chaos(*weather or ("--off",))
                activity = make_activity(slug=f"weather-{len(weather)}", capacity=BUYERS)

                registrations = sell(BUYERS, activity=activity, stripe=emulator.client)
                let_everything_arrive(worker, emulator)

                seen[weather] = ends(registrations)
                assert places_are_right(activity)

        assert seen[storm] == seen[()]
        assert Delivery.objects.filter(state="dropped").exists()
        assert Counter(PaymentEvent.objects.values_list("status", flat=True)).keys() <= {"PROCESSED", "IGNORED"}
