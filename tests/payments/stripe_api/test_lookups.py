import pytest

from payments.stripe_api import gateway, lookups
from payments.stripe_api.gateway import GatewayRefused
from tests.support.fake_stripe import fake_stripe
from tests.support.signing import event_not_made


@pytest.fixture
def stripe_server(settings):
    """Stripe's address leads to a server of the test."""
    gateway._made.cache_clear()
    with fake_stripe() as fake:
        settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY = fake.url, "sk_test_1"
        yield fake
    gateway.stripe_client()._requestor._client.close()
    gateway._made.cache_clear()


class TestLookUpThinEvent:
    def test_asks_the_second_version_of_the_api_for_the_whole(self, stripe_server):
        stripe_server.body = event_not_made({"related_object": {"id": "pi_1", "type": "payment_intent", "url": "x"}})

        answer = lookups.look_up_thin_event("evt_test_1")

        assert [(each.method, each.path) for each in stripe_server.asked] == [("GET", "/v2/core/events/evt_test_1")]
        assert answer.raw["data"]["impact"]["related_object"]["id"] == "pi_1"

    def test_says_where_there_is_none(self, stripe_server):
        stripe_server.refuses(404, code="resource_missing", message="No such event.")

        with pytest.raises(GatewayRefused) as refusal:
            lookups.look_up_thin_event("evt_test_1")

        assert refusal.value.code == "resource_missing"
