"""The same buyers in calm and in a storm: whatever the deliveries go through, the end is the same.

The number of buyers: `CHAOS_BUYERS=1000 make test ARGS="tests/journeys/test_chaos.py -k storm"`.
"""

import io
import os
from collections import Counter
from collections.abc import Sequence

import pytest
from django.core.management import call_command

from payments.ledger.models import PaymentEvent
from registrations.models import Activity, Registration
from stripe_emulator.models import Delivery
from tests.support.buyers import sell
from tests.support.emulator_process import running_emulator
from tests.support.processes import running_worker, wait_until
from tests.support.web_server import web_server

BUYERS = int(os.environ.get("CHAOS_BUYERS", "40"))
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


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestChaos:
    @pytest.mark.parametrize("storm", [STORM, HURRICANE], ids=["storm", "hurricane"])
    def test_ends_where_calm_deliveries_do(self, tmp_path, make_activity, settings, storm):
        seen = {}
        (tmp_path / "web").mkdir()
        (tmp_path / "worker").mkdir()
        with (
            web_server(tmp_path / "web") as server,
            running_worker(tmp_path / "worker") as worker,
            running_emulator(tmp_path, webhook=f"http://127.0.0.1:{server.port}/stripe/webhooks") as emulator,
        ):
            settings.STRIPE_API_BASE = emulator.url
            for weather in ((), storm):
                chaos(*weather or ("--off",))
                activity = make_activity(slug=f"weather-{len(weather)}", capacity=BUYERS)

                registrations = sell(BUYERS, activity=activity, stripe=emulator.client)
                wait_until(everything_arrived, seconds=SECONDS, or_show=lambda: emulator.process.output[-5000:])
                chaos("--off")
                emulator_command("resend", "--undelivered")
                wait_until(everything_arrived, seconds=SECONDS, or_show=lambda: worker.output[-5000:])

                seen[weather] = ends(registrations)
                assert places_are_right(activity)

        assert seen[storm] == seen[()]
        assert Delivery.objects.filter(state="dropped").exists()
        assert Counter(PaymentEvent.objects.values_list("status", flat=True)).keys() <= {"PROCESSED", "IGNORED"}
