"""Money that comes too late, through real processes: web server, two workers and the Stripe emulator."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from payments.checkout.open_checkout import open_checkout
from payments.effects.models import Effect
from payments.orders.models import Order, OrderException
from payments.processing.drain import drain
from registrations.models import Activity, LateMoney, Registration
from registrations.services.register import register
from tests.support.buyers import Buyer
from tests.support.emulator_process import RunningEmulator, running_emulator
from tests.support.factories import make_staff
from tests.support.processes import running_worker, wait_until
from tests.support.road import event_of, keep
from tests.support.web_server import web_server

SECONDS = 60


@contextmanager
def site(directory) -> Iterator[RunningEmulator]:
    """The emulator behind a site with two workers."""
    for name in ("web", "one", "two"):
        (directory / name).mkdir()
    with (
        web_server(directory / "web") as server,
        running_emulator(directory, webhook=f"http://127.0.0.1:{server.port}/stripe/webhooks") as emulator,
        running_worker(directory / "one", STRIPE_API_BASE=emulator.url),
        running_worker(directory / "two", STRIPE_API_BASE=emulator.url),
    ):
        yield emulator


def register_now(name: str, activity: Activity) -> Registration:
    email = f"{name.lower()}@example.com"
    return register(activity=activity, name=name, email=email, language="en", at=timezone.now())


def pay_too_late(activity: Activity, emulator: RunningEmulator) -> Registration:
    """Their place expires here, somebody else takes it, and then they pay at Stripe, where the page is still open."""
    late = register_now("Late", activity)
    session = open_checkout(order_id=late.order_id, at=timezone.now()).session
    keep(event_of(late, "checkout.session.expired", at=timezone.now(), subject={"session": session}), at=timezone.now())
    drain()
    wait_until(lambda: Order.objects.get(pk=late.order_id).status == "EXPIRED", seconds=SECONDS)
    register_now("Quick", activity)
    Buyer(late, session, emulator.client).pay()
    return late


def has_been_refunded(late: Registration) -> bool:
    """The order says so, and nothing about it is left to be delivered."""
    waiting = Effect.objects.filter(order=late.order_id, status__in=["PENDING", "CLAIMED"])
    return Order.objects.get(pk=late.order_id).status == "REFUNDED" and not waiting.exists()


def effects(late: Registration) -> dict[str, int]:
    """How many of which kind were delivered."""
    kinds = Effect.objects.filter(order=late.order_id, status="DONE").values_list("kind", flat=True)
    return {kind: list(kinds).count(kind) for kind in kinds}


def refunds_at_stripe(late: Registration, emulator: RunningEmulator) -> list[int]:
    payment = late.order.payments.get().key
    return [refund.amount for refund in emulator.client.v1.refunds.list({"payment_intent": payment}).data]


def check_the_end(late: Registration, emulator: RunningEmulator) -> None:
    assert refunds_at_stripe(late, emulator) == [4900]
    told = effects(late)
    assert (told["refund"], told["registration.no_place"], told["registration.refunded"]) == (1, 1, 1)
    assert "registration.confirmed" not in told
    assert not OrderException.objects.filter(is_open=True).exists()
    late.refresh_from_db()
    assert (late.holds_place, late.waits_since) == (False, None)
    late.activity.refresh_from_db()
    assert late.activity.places_taken == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestLateMoney:
    def test_goes_back_once_by_itself_or_when_staff_say_so(self, tmp_path, make_activity, settings):
        with site(tmp_path) as emulator:
            settings.STRIPE_API_BASE = emulator.url

            late = pay_too_late(make_activity(capacity=1, late_money=LateMoney.REFUND), emulator)
            wait_until(lambda: has_been_refunded(late), seconds=SECONDS)
            check_the_end(late, emulator)

            late = pay_too_late(make_activity(slug="raku", capacity=1), emulator)
            wait_until(lambda: "registration.no_place" in effects(late), seconds=SECONDS)
            self.press_twice(OrderException.objects.get(is_open=True, kind="NO_PLACE"))
            wait_until(lambda: has_been_refunded(late), seconds=SECONDS)
            check_the_end(late, emulator)

    def press_twice(self, question: OrderException) -> None:
        page = Client()
        page.force_login(make_staff())
        pressed = {"action": "refund", "_selected_action": question.pk, "confirmed": "yes", "reason": "no place"}
        for _ in range(2):
            assert page.post(reverse("admin:payments_orderexception_changelist"), pressed).status_code == 302
