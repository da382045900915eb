from datetime import UTC, datetime

import pytest
import time_machine

from modules_access.models import ModuleAccess
from modules_access.services.buy import AlreadyBought, NotOnSale, buy, resume
from payments.effects.models import Effect
from payments.orders.models import Order
from payments.purchasing import PaymentUnderWay
from payments.statuses import OrderStatus
from payments.stripe_api.gateway import GatewayUnavailable
from stripe_emulator.models import StoredObject
from tests.support.modules import make_module
from tests.support.resync import heard
from tests.support.subscriber import emulate, pay, unreachable

pytestmark = pytest.mark.django_db


def now():
    return datetime.now(UTC)


@pytest.fixture(autouse=True)
def _stripe(db, monkeypatch):
    """The gateway's client speaks to the emulator, and time stands still: seconds decide here."""
    with time_machine.travel(datetime.now(UTC), tick=False):
        emulate(monkeypatch)
        yield


class TestBuy:
    def test_leads_to_a_page_that_opens_the_module(self, learner, module):
        pay(buy(user=learner, module=module, at=now()))
        heard()

        access = ModuleAccess.objects.get()
        assert (access.user, access.module, access.access_type) == (learner, module, "purchase")
        assert access.is_open(at=now())
        assert (access.order.amount, access.order.status) == (4900, "PAID")

    def test_tells_stripe_what_is_bought_and_where_the_buyer_comes_back(self, learner, module, settings):
        buy(user=learner, module=module, at=now())

        session = StoredObject.objects.get(kind="checkout.session")
        assert session.data["metadata"]["orderId"] == str(Order.objects.get().public_id)
        assert session.data["success_url"].startswith(f"{settings.SITE_URL}/encours/?session_id=")
        assert (session.data["amount_total"], session.data["locale"]) == (4900, "en")

    def test_gives_the_same_page_while_it_is_open(self, learner, module):
        first = buy(user=learner, module=module, at=now())

        assert buy(user=learner, module=module, at=now()) == first
        assert Order.objects.count() == 1

    def test_gives_what_is_free_at_once(self, learner):
        free = make_module("tasting", price=0)

        assert buy(user=learner, module=free, at=now()) == ""

        assert ModuleAccess.objects.get().is_open(at=now())
        assert Effect.objects.get().kind == "module.opened"
        assert not StoredObject.objects.filter(kind="checkout.session").exists()

    def test_sells_nothing_twice(self, learner, module):
        pay(buy(user=learner, module=module, at=now()))
        heard()

        with pytest.raises(AlreadyBought):
            buy(user=learner, module=module, at=now())

    def test_refuses_what_is_not_on_sale(self, learner):
        with pytest.raises(NotOnSale):
            buy(user=learner, module=make_module(is_on_sale=False), at=now())

        assert not Order.objects.exists()

    def test_ends_the_page_with_the_old_price(self, learner, module):
        old = buy(user=learner, module=module, at=now())
        module.price = 3900
        module.save()

        new = buy(user=learner, module=module, at=now())

        assert new != old
        assert sorted(Order.objects.values_list("amount", "status")) == [
            (3900, OrderStatus.PENDING), (4900, OrderStatus.EXPIRED),
        ]  # fmt: skip

    def test_waits_for_a_payment_that_is_under_way(self, learner, module):
        buy(user=learner, module=module, at=now())
        Order.objects.update(status=OrderStatus.PROCESSING)

        with pytest.raises(PaymentUnderWay):
            buy(user=learner, module=module, at=now())

    def test_loses_nothing_while_stripe_is_away(self, learner, module, monkeypatch):
        with unreachable(monkeypatch), pytest.raises(GatewayUnavailable):
            buy(user=learner, module=module, at=now())

        pay(buy(user=learner, module=module, at=now()))
        heard()
        assert Order.objects.get().status == "PAID"


class TestResume:
    def test_leads_back_to_the_page(self, learner, module):
        url = buy(user=learner, module=module, at=now())

        assert resume(order_id=Order.objects.get().pk, at=now()) == url

    def test_has_nowhere_to_lead_once_it_is_paid(self, learner, module):
        pay(buy(user=learner, module=module, at=now()))
        heard()

        assert resume(order_id=Order.objects.get().pk, at=now()) == ""
