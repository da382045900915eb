from datetime import timedelta

import pytest
from django.test import Client

from modules_access.models import AccessToken, ModuleAccess
from payments.apply.apply import follow_subscriptions_again
from tests.modules_access.api.conftest import code_of
from tests.support.factories import NOON
from tests.support.members import make_member
from tests.support.modules import (
    give_back,
    make_buyer,
    make_grant,
    make_learner,
    make_module,
    make_purchase,
    make_token,
)

pytestmark = pytest.mark.django_db
ADDRESS = "/api/me/modules/"


@pytest.fixture
def client(learner):
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(learner)
    return client


def accesses(client):
    return [(row["moduleId"], row["source"], row["state"]) for row in client.get(ADDRESS).json()["accesses"]]


class TestOwnModules:
    def test_are_for_who_is_signed_in(self, program):
        assert code_of(Client().get(ADDRESS)) == (403, "not_authenticated")
        assert code_of(program.client.get(ADDRESS)) == (403, "not_authenticated")

    @pytest.mark.parametrize("address", [ADDRESS, "/api/me/modules"])
    def test_are_told_with_and_without_a_slash(self, client, address):
        assert client.get(address).json() == {"accesses": [], "waiting": []}

    def test_tell_what_one_has(self, client, order, module):
        access = ModuleAccess.objects.get()

        assert client.get(ADDRESS).json()["accesses"] == [
            {
                "accessId": access.pk, "moduleId": "drawing", "title": "Drawing", "state": "active",
                "source": "purchase", "expiresAt": None, "renewsAt": None, "usesLeft": None,
            }
        ]  # fmt: skip

    def test_tell_how_long_and_how_often(self, client, learner, module):
        make_token(learner, module, uses=7)

        (told,) = client.get(ADDRESS).json()["accesses"]

        assert (told["expiresAt"], told["usesLeft"]) == ("2026-03-05T13:00:00+01:00", 7)

    def test_tell_when_a_subscription_renews_without_our_days_of_grace(self, client, learner, module):
        member = make_member(user=learner)
        follow_subscriptions_again([member.pk], source="a test", at=NOON)

        (told,) = client.get(ADDRESS).json()["accesses"]

        assert told["renewsAt"] == told["expiresAt"] == "2026-04-02T14:00:00+02:00"

    def test_tell_in_which_state_each_is(self, client, learner, module):
        give_back(make_buyer(learner, module).order, at=NOON)
        make_grant(learner, module, expires_at=NOON + timedelta(hours=1), at=NOON - timedelta(hours=1))
        ModuleAccess.objects.filter(access_type="grant").update(expires_at=NOON)
        make_token(learner, module, uses=7)
        AccessToken.objects.update(used=7)

        assert set(accesses(client)) == {
            ("drawing", "purchase", "ended"), ("drawing", "grant", "expired"), ("drawing", "token", "used_up"),
        }  # fmt: skip

    def test_tell_what_waits_for_payment(self, client, learner, module):
        order = make_purchase(learner, module).order

        assert client.get(ADDRESS).json()["waiting"] == [
            {
                "orderId": str(order.public_id), "number": order.number, "moduleId": "drawing", "title": "Drawing",
                "status": "PENDING", "amount": 4900, "currency": "eur",
            }
        ]  # fmt: skip

    def test_tell_nothing_of_others(self, client, module):
        bob = make_learner("bob@example.com")
        make_buyer(bob, module)
        make_purchase(bob, module)

        assert client.get(ADDRESS).json() == {"accesses": [], "waiting": []}

    def test_take_as_many_statements_for_many_as_for_one(self, client, learner, django_assert_max_num_queries):
        for number in range(5):
            make_grant(learner, make_module(f"m{number}"))
            make_token(learner, make_module(f"t{number}"))
            make_purchase(learner, make_module(f"p{number}"))

        with django_assert_max_num_queries(4):
            told = client.get(ADDRESS).json()

        assert (len(told["accesses"]), len(told["waiting"])) == (10, 5)
