"""Two tabs of one person at the very same moment, with the emulator as a process of its own: one payment page."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection

from payments.billing.models import Customer
from payments.orders.models import Order
from payments.purchasing import PaymentUnderWay
from payments.stripe_api.gateway import GatewayUnavailable
from payments.subscribing import start, subscribe
from payments.subscribing.current import refresh_live
from stripe_emulator.models import StoredObject
from tests.support.emulator_process import running_emulator
from tests.support.subscriber import make_plans, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _stripe(transactional_db, tmp_path, settings):
    with running_emulator(tmp_path) as emulator:
        settings.STRIPE_API_BASE = emulator.url
        yield


def at_once(*jobs: Callable[[], str]) -> list[str]:
    """Run the jobs in threads that start together. Returns the addresses of their pages, "" for a page to try again."""
    gate = threading.Barrier(len(jobs))
    results = [""] * len(jobs)

    def run(number: int, job: Callable[[], str]) -> None:
        gate.wait()
        try:
            results[number] = job()
        except (PaymentUnderWay, GatewayUnavailable):
            results[number] = ""
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def meet_after_looking(monkeypatch, *, tabs: int) -> None:
    """All of them have seen that there is no subscription before one of them makes its order."""
    gate, met, look = threading.Barrier(tabs), threading.local(), refresh_live

    def look_and_wait(user, *, at):
        found = look(user, at=at)
        if not hasattr(met, "others"):
            met.others = gate.wait()
        return found

    monkeypatch.setattr(start, "refresh_live", look_and_wait)


def open_pages() -> list[str]:
    rows = StoredObject.objects.filter(kind="checkout.session", data__status="open")
    return [row.data["url"] for row in rows]


class TestSubscribingInTwoTabs:
    def test_opens_one_page_of_one_order_for_one_customer(self, monkeypatch):
        monthly, _yearly = make_plans()
        ada = make_user()
        meet_after_looking(monkeypatch, tabs=4)

        urls = at_once(*[lambda: subscribe(user=ada, plan=monthly, at=datetime.now(UTC)) for _ in range(4)])

        assert len(open_pages()) == 1
        assert {*urls} - {""} == {*open_pages()}
        assert (Order.objects.count(), Customer.objects.count()) == (1, 1)

    def test_leaves_one_page_open_where_two_plans_are_chosen(self):
        plans = make_plans()
        ada = make_user()

        at_once(*[lambda plan=plan: subscribe(user=ada, plan=plan, at=datetime.now(UTC)) for plan in plans])

        assert len(open_pages()) <= 1
        assert subscribe(user=ada, plan=plans[0], at=datetime.now(UTC)) in open_pages()
        assert len(open_pages()) == 1
