import pytest
from django.test import Client

from payments.billing.models import Subscription
from payments.orders.models import Order
from stripe_emulator.models import StoredObject
from tests.support.subscriber import unreachable

ADDRESS = "/api/me/subscription/"


class Api:
    """Somebody's program, with the cookies of a browser; answers in English."""

    def __init__(self):
        self.client = Client(enforce_csrf_checks=True, headers={"Accept-Language": "en"})

    def sign_in(self, user):
        self.client.force_login(user)
        self.client.get("/account/")
        self.client.defaults["HTTP_X_CSRFTOKEN"] = self.client.cookies["csrftoken"].value

    def get(self, address=ADDRESS):
        return self.client.get(address)

    def post(self, address=ADDRESS, **body):
        return self.client.post(address, body, content_type="application/json")

    def patch(self, **body):
        return self.client.patch(ADDRESS, body, content_type="application/json")


@pytest.fixture
def stranger():
    return Api()


@pytest.fixture
def api(ada, stranger):
    stranger.sign_in(ada)
    return stranger


def code_of(response):
    return response.status_code, response.json()["error"]["code"]


class TestPlansView:
    def test_tells_everybody_what_is_on_sale(self, stranger):
        assert stranger.get("/api/plans/").json() == [
            {"slug": "monthly", "name": "Premium", "amount": 400, "currency": "eur", "interval": "month"},
            {"slug": "yearly", "name": "Premium", "amount": 3000, "currency": "eur", "interval": "year"},
        ]


class TestGetSubscription:
    def test_tells_that_there_is_none(self, api):
        told = api.get().json()

        assert told.pop("state") == "none"
        assert set(told.values()) == {None}

    def test_tells_plan_price_and_period(self, api, subscribed):
        told = api.get().json()

        assert (told["state"], told["plan"], told["amount"], told["interval"]) == ("active", "monthly", 400, "month")
        assert (told["period_end"] is not None, told["ends_at"]) == (True, None)

    def test_is_for_who_is_signed_in(self, stranger):
        assert code_of(stranger.get()) == (403, "not_authenticated")


class TestSubscribe:
    def test_tells_where_to_pay(self, api):
        response = api.post(plan="monthly")

        assert response.status_code == 201
        assert "/pay/cs_test_" in response.json()["checkout_url"]

    def test_is_refused_to_who_has_one(self, api, subscribed):
        assert code_of(api.post(plan="yearly")) == (409, "already_subscribed")

    @pytest.mark.parametrize("body", [{}, {"plan": "gold"}, {"plan": "monthly", "quantity": 2}])
    def test_says_what_is_wrong(self, api, body):
        assert code_of(api.post(**body)) == (400, "invalid")

    def test_cannot_be_forged(self, api):
        del api.client.defaults["HTTP_X_CSRFTOKEN"]

        assert code_of(api.post(plan="monthly")) == (403, "forbidden")
        assert not Order.objects.exists()

    def test_counts_as_a_payment(self, api, settings):
        settings.STRIPE_RATE_LIMIT_MAX = 1
        api.post(plan="monthly")

        assert code_of(api.post(plan="monthly")) == (429, "throttled")


class TestPatchSubscription:
    def test_changes_the_plan(self, api, subscribed):
        assert api.patch(plan="yearly").json()["plan"] == "yearly"

    def test_cancels_and_goes_on(self, api, subscribed):
        assert api.patch(cancel_at_period_end=True).json()["state"] == "ending"
        assert api.patch(cancel_at_period_end=False).json()["state"] == "active"

    @pytest.mark.parametrize("body", [{}, {"plan": "yearly", "cancel_at_period_end": True}, {"plan": "gold"}])
    def test_does_one_thing(self, api, subscribed, body):
        assert code_of(api.patch(**body)) == (400, "invalid")

    def test_is_refused_without_one(self, api):
        assert code_of(api.patch(cancel_at_period_end=True)) == (409, "no_subscription")

    def test_is_refused_while_it_ends(self, api, subscribed):
        api.patch(cancel_at_period_end=True)

        assert code_of(api.patch(plan="yearly")) == (409, "not_changeable")

    def test_tells_that_the_bank_declines(self, api, subscribed, stripe_api):
        customer = StoredObject.objects.get(stripe_id=subscribed).data["customer"]
        card = stripe_api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
        stripe_api.subscriptions.update(subscribed, {"default_payment_method": card.id})

        assert code_of(api.patch(plan="yearly")) == (402, "declined")
        assert Subscription.objects.get().plan.slug == "monthly"

    def test_tells_that_stripe_does_not_answer(self, api, subscribed, monkeypatch):
        with unreachable(monkeypatch):
            response = api.patch(plan="yearly")

        assert code_of(response) == (503, "stripe_unavailable")
        assert response["Retry-After"]

    def test_never_waits_with_a_cancellation_for_having_paid(self, api, subscribed, settings):
        settings.STRIPE_RATE_LIMIT_MAX = 1
        api.post(plan="monthly")

        assert api.patch(cancel_at_period_end=True).status_code == 200


class TestPortalView:
    def test_tells_where_cards_and_invoices_are(self, api, subscribed):
        response = api.post("/api/me/subscription/portal/")

        assert response.status_code == 201
        assert "/portal/bps_" in response.json()["portal_url"]

    def test_is_refused_to_who_never_subscribed(self, api):
        assert code_of(api.post("/api/me/subscription/portal/")) == (409, "no_subscription")
