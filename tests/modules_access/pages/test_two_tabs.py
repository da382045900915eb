"""One person in several tabs at the very same moment: one order, one session."""

import threading

import pytest
from django.db import connection
from django.test import Client

from payments.orders.models import CheckoutAttempt, Order
from stripe_emulator.models import StoredObject
from tests.support.emulator_process import running_emulator
from tests.support.modules import make_module

pytestmark = pytest.mark.django_db(transaction=True)
TABS = 4


@pytest.fixture(autouse=True)
def stripe_api(transactional_db, tmp_path, settings):
    """The emulator as a process of its own: the one inside the test belongs to one thread."""
    settings.STRIPE_RATE_LIMIT_MAX = 1000
    with running_emulator(tmp_path) as emulator:
        settings.STRIPE_API_BASE = emulator.url
        yield


def press_at_once(user, address: str) -> list[tuple[int, str]]:
    """Status and address of each tab's answer."""
    tabs = [Client() for _ in range(TABS)]
    for tab in tabs:
        tab.force_login(user)
    gate, answers = threading.Barrier(TABS), []

    def press(tab: Client) -> None:
        gate.wait()
        try:
            answer = tab.post(address)
            answers.append((answer.status_code, answer.get("Location", "")))
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=[tab]) for tab in tabs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


class TestTwoTabs:
    def test_lead_to_one_session_of_one_order(self, ada, module):
        answers = press_at_once(ada, "/modules/drawing/buy")

        assert len(answers) == TABS
        assert Order.objects.count() == 1
        [session] = StoredObject.objects.filter(kind="checkout.session")
        assert set(CheckoutAttempt.objects.values_list("session", flat=True)) == {session.stripe_id}
        assert {location for status, location in answers if status == 303} == {session.data["url"]}
        assert {status for status, _location in answers} <= {303, 409, 503}

    def test_give_a_free_module_once(self, ada):
        make_module(price=0)

        answers = press_at_once(ada, "/modules/drawing/buy")

        assert {status for status, _location in answers} == {303}
        assert [order.status for order in Order.objects.all()] == ["PAID"]
