"""No page of a subscription is half translated."""

import pytest

from payments.billing.models import Subscription
from payments.orders.models import Order
from tests.support.mails import english_in
from tests.support.pages import text_of
from tests.support.subscriber import pay


@pytest.fixture
def french(client, ada):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "fr"
    client.force_login(ada)
    return client


def english_on(response) -> list[str]:
    """What is not French; the button that leads to the English page is called so in every language."""
    return english_in(text_of(response).replace(" English ", " "))


class TestFrench:
    @pytest.mark.parametrize("is_signed_in", [True, False])
    def test_is_spoken_by_the_plans(self, french, is_signed_in):
        if not is_signed_in:
            french.logout()

        assert english_on(french.get("/plans/")) == []

    @pytest.mark.usefixtures("subscribed")
    @pytest.mark.parametrize("changes", [{}, {"status": "past_due"}, {"cancel_at": "2030-01-01T00:00Z"}])
    @pytest.mark.parametrize(
        "page", ["/plans/", "/subscription/change/", "/subscription/change/yearly", "/subscription/cancel"]
    )
    def test_is_spoken_by_the_changes(self, french, page, changes):
        Subscription.objects.update(**changes)

        assert english_on(french.get(page, follow=True)) == []

    @pytest.mark.usefixtures("subscribed")
    @pytest.mark.parametrize("done", ["began", "changed", "ends", "resumed", "already"])
    def test_is_spoken_by_what_was_done(self, french, done):
        assert english_on(french.get("/account/", {"subscription": done})) == []

    @pytest.mark.parametrize("looks", ["0", "15"])
    def test_is_spoken_while_one_waits(self, french, looks):
        pay(french.post("/plans/monthly/subscribe")["Location"])
        session = Order.objects.get().checkouts.get().session

        assert english_on(french.get("/subscription/", {"session_id": session, "looks": looks})) == []
