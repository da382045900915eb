"""No page of modules is half translated."""

import pytest

from modules_access.jwt import mint_pass
from modules_access.models import Module
from payments.apply.apply import follow_subscriptions_again
from payments.orders.models import CheckoutAttempt, Order
from payments.statuses import OrderStatus
from tests.support.factories import NOON
from tests.support.mails import english_in
from tests.support.members import make_member
from tests.support.modules import give_back, make_buyer, make_grant, make_module, make_purchase, make_token
from tests.support.pages import text_of
from tests.support.subscriber import pay, unreachable


@pytest.fixture
def french(client, ada):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "fr"
    client.force_login(ada)
    return client


def english_on(response) -> list[str]:
    """What is not French; the button that leads to the English page is called so in every language."""
    return english_in(text_of(response).replace(" English ", " "))


class TestFrench:
    @pytest.mark.parametrize("price", [4900, 0])
    @pytest.mark.parametrize("is_signed_in", [True, False])
    @pytest.mark.parametrize("page", ["/modules/", "/modules/raku/"])
    def test_is_spoken_by_what_is_on_sale_and_what_is_not(self, french, is_signed_in, price, page):
        make_module("raku", title="Raku", price=price, access_days=30)
        if not is_signed_in:
            french.logout()

        assert english_on(french.get(page)) == []
        Module.objects.update(is_on_sale=False)
        assert english_on(french.get(page)) == []

    @pytest.mark.parametrize("page", ["/modules/", "/modules/raku/", "/encours/", "/account/"])
    def test_is_spoken_by_what_one_has(self, french, ada, page):
        raku = make_module("raku", title="Raku")
        assert english_on(french.get(page)) == []
        follow_subscriptions_again([make_member(user=ada).pk], source="test", at=NOON)
        assert english_on(french.get(page)) == []
        make_token(ada, raku)
        make_grant(ada, raku)
        make_buyer(ada, raku)
        give_back(make_buyer(ada, make_module("enduit", title="Enduit")).order)
        assert english_on(french.get(page)) == []

    @pytest.mark.parametrize("word", ["got", "already", "ended", "unreachable"])
    def test_is_spoken_by_notices(self, french, ada, word):
        make_grant(ada, make_module("raku", title="Raku"))

        assert english_on(french.get("/encours/", {word: "raku"})) == []

    @pytest.mark.parametrize(
        "status", [OrderStatus.PENDING, OrderStatus.ACTION_REQUIRED, OrderStatus.PROCESSING, "FAILED"]
    )
    def test_is_spoken_by_what_waits(self, french, ada, status):
        make_purchase(ada, make_module("raku", title="Raku"))
        Order.objects.update(status=status)

        assert english_on(french.get("/encours/")) == []

    @pytest.mark.parametrize("looks", ["0", "15"])
    def test_is_spoken_while_one_waits_for_the_news(self, french, looks):
        make_module("raku", title="Raku")
        pay(french.post("/modules/raku/buy")["Location"])
        session = CheckoutAttempt.objects.get().session

        assert english_on(french.get("/encours/", {"session_id": session, "looks": looks})) == []
        assert english_on(french.post("/modules/raku/buy")) == []

    def test_is_spoken_by_trouble_and_demo_room(self, french, ada, monkeypatch):
        raku = make_module("raku", title="Raku")
        with unreachable(monkeypatch):
            assert english_on(french.post("/modules/raku/buy")) == []
        raw = mint_pass(make_grant(ada, raku), at=NOON)
        assert english_on(french.get("/demo/module/raku/", {"token": raw})) == []
        assert english_on(french.get("/demo/module/raku/", {"token": "x"})) == []

    def test_is_spoken_by_the_receipt(self, french, ada, settings):
        settings.SELLER_NAME = "Maison des arts"
        order = make_buyer(ada, make_module("enduit", title="Enduit")).order
        assert english_on(french.get(f"/encours/{order.public_id}/receipt/")) == []
