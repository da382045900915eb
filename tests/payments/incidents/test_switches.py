"""While sales are paused nobody can begin to pay, by any door; everything else goes on."""

import json
import re
from datetime import timedelta
from uuid import uuid4

import pytest

from payments.incidents import switches
from payments.incidents.models import Incident
from payments.incidents.switches import current_incident, forget, sales_pause
from payments.orders.models import Order
from registrations.links import token_of
from tests.architecture.trip import ROOT
from tests.support.factories import make_staff
from tests.support.incidents import closed, opened
from tests.support.modules import make_learner, make_module
from tests.support.pages import text_of
from tests.support.road import NOON, event_of, hear
from tests.support.subscriber import make_plans

pytestmark = pytest.mark.django_db
AN_HOUR = timedelta(hours=1)
SELLING = ("registrations/pages", "registrations/api", "modules_access/pages", "modules_access/api", "payments/pages")
PERSON = {"name": "Camille Martin", "email": "camille@example.com"}
BUYING = [
    "/activities/pottery/", "/registrations/{token}/pay", "/modules/drawing/buy", "/plans/monthly/subscribe",
    "/subscription/change/yearly", "/encours/{purchase}/pay",
]  # fmt: skip
BUYING_BY_API = [
    ("post", "/api/activities/pottery/registrations/", PERSON), ("post", "/api/registrations/{token}/checkout/", {}),
    ("post", "/api/me/subscription/", {"plan": "monthly"}), ("patch", "/api/me/subscription/", {"plan": "yearly"}),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _noon(time_machine, settings):
    time_machine.move_to(NOON, tick=False)
    settings.STRIPE_RATE_LIMIT_MAX = 1000


@pytest.fixture
def shop(registration):
    """One of each thing that is sold."""
    make_plans()
    make_module("drawing")
    return registration


@pytest.fixture
def ada(client):
    """Signed in, and reads English."""
    user = make_learner("ada@example.com")
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def addressed(address, shop):
    return address.format(token=token_of(shop), purchase=uuid4())


class TestSalesPause:
    @pytest.mark.parametrize("address", BUYING)
    def test_answers_503_on_every_page_where_one_buys(self, ada, shop, address):
        opened(pause_sales=True, ends_in=AN_HOUR)
        before = Order.objects.count()

        response = ada.post(addressed(address, shop), PERSON)

        assert (response.status_code, response["Retry-After"]) == (503, "3600")
        assert "Nothing can be bought at the moment." in text_of(response)
        assert 'value="camille@example.com"' in response.content.decode()
        assert Order.objects.count() == before

    @pytest.mark.parametrize(("method", "address", "body"), BUYING_BY_API)
    def test_answers_503_in_json_to_programs(self, ada, shop, method, address, body):
        opened(pause_sales=True, ends_in=AN_HOUR)

        response = getattr(ada, method)(addressed(address, shop), json.dumps(body), content_type="application/json")

        assert (response.status_code, response["Retry-After"]) == (503, "3600")
        assert response.json()["error"]["code"] == "sales_paused"
        assert response.json()["error"]["message"].startswith("Nothing can be bought at the moment.")

    def test_names_no_time_where_nobody_knows_one_or_it_is_over(self, ada, shop, time_machine):
        opened(pause_sales=True, ends_in=AN_HOUR)
        time_machine.move_to(NOON + 2 * AN_HOUR, tick=False)

        assert "Retry-After" not in ada.post(BUYING[0], PERSON)
        assert "Retry-After" not in ada.post(BUYING_BY_API[0][1], json.dumps(PERSON), content_type="application/json")

    def test_speaks_french(self, ada, shop):
        opened(pause_sales=True)

        page = text_of(ada.post(BUYING[0], PERSON, headers={"Accept-Language": "fr"}))

        assert "Rien ne peut être acheté" in page

    @pytest.mark.parametrize("address", ["/", "/activities/pottery/", "/modules/", "/plans/", "/encours/", "/account/"])
    def test_leaves_all_pages_readable_with_a_word_about_it(self, ada, shop, address):
        opened(pause_sales=True)

        response = ada.get(address)

        assert response.status_code == 200
        assert "Nothing can be bought at the moment." in text_of(response)

    def test_lets_a_subscription_be_canceled(self, ada, shop):
        opened(pause_sales=True)

        response = ada.patch(
            "/api/me/subscription/", json.dumps({"cancel_at_period_end": True}), content_type="application/json"
        )

        assert (response.status_code, response.json()["error"]["code"]) == (409, "no_subscription")

    def test_confirms_who_is_on_stripe_s_page(self, shop):
        opened(pause_sales=True)

        hear(event_of(shop, "checkout.session.completed"))

        assert Order.objects.get(pk=shop.order_id).status == "PAID"

    def test_is_over_with_the_incident(self, ada, shop, stripe):
        opened(pause_sales=True)
        closed(at=NOON)

        assert sales_pause() is None
        assert "Nothing can be bought" not in text_of(ada.get("/"))

    def test_is_none_where_the_incident_pauses_nothing(self, ada, shop):
        opened(hold=("*",))

        assert sales_pause() is None
        assert "Nothing can be bought" not in text_of(ada.get("/"))


class TestEveryDoor:
    def test_that_counts_tries_to_pay_is_shut_too(self):
        """What is limited as a payment begins one."""
        files = [path for app in SELLING for path in (ROOT / app).rglob("*.py")]
        doors = [path for path in files if re.search(r'"payment"\)|PaymentThrottle\(\)', path.read_text())]

        open_doors = [path for path in doors if not re.search("while_selling|require_selling", path.read_text())]

        assert len(doors) >= 6
        assert open_doors == []


class TestCurrentIncident:
    def test_is_asked_once_in_a_few_seconds(self, django_assert_num_queries):
        opened(pause_sales=True)

        with django_assert_num_queries(1):
            for _turn in range(10):
                assert current_incident()

    def test_is_known_elsewhere_when_the_time_is_over(self, monkeypatch):
        forget()
        assert current_incident() is None
        Incident.objects.create(reason="by another process", opened_at=NOON, pauses_sales=True)

        assert current_incident() is None
        monkeypatch.setattr(switches._known, "until", 0.0)
        assert current_incident()

    def test_stands_on_every_page_of_staff(self, client):
        client.force_login(make_staff())
        opened(pause_sales=True, hold=("*",))

        page = text_of(client.get("/admin/", headers={"Accept-Language": "en"}))

        assert "Open: Orders stay unpaid" in page
        assert "Sales are paused. All events are held back." in page
