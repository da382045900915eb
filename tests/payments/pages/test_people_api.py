"""The staff's API of people: everything at once, Stripe on demand, and a resync that is asked for with a reason."""

import pytest
from django.contrib.auth.models import Permission

from payments.billing.models import Payment
from payments.orders.models import OrderChange
from payments.pages import people_api
from payments.resync import Resynced
from payments.stripe_api.gateway import GatewayUnavailable
from tests.payments.pages.test_api_views import Api
from tests.support.factories import NOON, OrderFactory, UserFactory, make_staff
from tests.support.subscriptions import make_customer, make_plan, make_subscription

pytestmark = pytest.mark.django_db
READ = ("view_user", "view_customer", "view_order", "view_payment", "view_subscription")


@pytest.fixture
def grace():
    """Has subscribed, and bought something."""
    user = UserFactory(email="grace@example.com", name="Grace")
    customer = make_customer(email=user.email, user=user, city="Lyon", country="FR")
    make_subscription(customer=customer, plan=make_plan("gold"), status="active", amount=400, currency="eur")
    order = OrderFactory(user=user, email=user.email, status="PAID")
    Payment.objects.create(key="pi_1", order=order, currency="eur", received=4900, refunded=500, paid_at=NOON)
    return user


@pytest.fixture
def staff():
    api = Api()
    api.sign_in(make_staff(email="boss@example.com"))
    return api


def payments_of(user):
    return f"/api/admin/users/{user.pk}/payments"


def sync_of(user):
    return f"/api/admin/users/{user.pk}/sync"


class TestPayments:
    def test_are_told_with_all_that_belongs_to_the_person(self, staff, grace):
        told = staff.get(payments_of(grace)).json()

        assert list(told) == ["user", "stripeCustomer", "subscription", "payments", "accesses", "stripeData"]
        assert (told["user"]["id"], told["user"]["email"]) == (grace.pk, "grace@example.com")
        assert (told["stripeCustomer"]["stripeCustomerId"], told["stripeCustomer"]["city"]) == ("cus_1", "Lyon")
        assert (told["subscription"]["planType"], told["subscription"]["status"]) == ("gold", "active")
        [payment] = told["payments"]
        assert (payment["id"], payment["amount"], payment["refunded"], payment["currency"]) == (
            "pi_1",
            4900,
            500,
            "eur",
        )
        assert payment["belongsTo"] == grace.orders.get().number
        assert told["stripeData"] is None

    def test_are_told_although_stripe_does_not_answer(self, staff, grace, monkeypatch):
        def silent(_name):
            raise GatewayUnavailable("no answer")

        monkeypatch.setattr(people_api.lookups, "look_up_customer", silent)

        told = staff.get(f"{payments_of(grace)}?live=1").json()

        assert told["stripeData"]["error"] == "Stripe does not answer at the moment."
        assert len(told["payments"]) == 1

    @pytest.mark.parametrize("missing", READ)
    def test_need_every_right(self, grace, missing):
        clerk = UserFactory(is_staff=True)
        clerk.user_permissions.set(Permission.objects.filter(codename__in=set(READ) - {missing}))
        api = Api()
        api.sign_in(clerk)

        answer = api.get(payments_of(grace))

        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
        assert answer.json()["requestId"]

    def test_are_not_for_strangers_nor_of_nobody(self, staff, grace):
        assert Api().get(payments_of(grace)).status_code == 403
        assert staff.get("/api/admin/users/999999/payments").json()["error"]["code"] == "not_found"


class TestSync:
    @pytest.fixture
    def asked(self, monkeypatch):
        """What Stripe was asked about, and by whom; one thing differs the first time."""
        calls = []

        def resync(user, *, options):
            calls.append((user.pk, options.by))
            return [Resynced("O-000001", [("status", "PENDING", "PAID")] if len(calls) == 1 else [])]

        monkeypatch.setattr(people_api, "resync_user", resync)
        return calls

    def test_says_what_it_changed_and_the_second_time_nothing(self, staff, grace, asked):
        first, second = (staff.post(sync_of(grace), reason="a missing webhook").json() for _ in range(2))

        assert first == {
            "success": True, "message": "User synchronized", "missing": [],
            "changes": [{"subject": "O-000001", "what": "status", "before": "PENDING", "after": "PAID"}],
        }  # fmt: skip
        assert second["changes"] == []
        assert asked[0] == (grace.pk, "boss@example.com: a missing webhook")

    def test_needs_a_reason_the_right_and_the_token_against_forged_requests(self, staff, grace, asked):
        assert staff.post(sync_of(grace)).json()["error"]["fields"] == {"reason": ["This field is required."]}
        clerk = UserFactory(is_staff=True)
        clerk.user_permissions.set(Permission.objects.exclude(codename="resync_order"))
        api = Api()
        api.sign_in(clerk)
        assert api.post(sync_of(grace), reason="x").status_code == 403
        del staff.client.defaults["HTTP_X_CSRFTOKEN"]
        assert staff.post(sync_of(grace), reason="x").status_code == 403
        assert staff.get(sync_of(grace)).status_code == 405
        assert asked == []

    def test_that_stripe_does_not_answer_is_told_and_nothing_is_lost(self, staff, grace, monkeypatch):
        def silent(_user, *, options):
            raise GatewayUnavailable("no answer")

        monkeypatch.setattr(people_api, "resync_user", silent)

        answer = staff.post(sync_of(grace), reason="x")

        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "stripe_unavailable")
        assert not OrderChange.objects.exists()
