"""The calls that change webhook endpoints, against the emulator, and the fake gateway beside it: both answer alike."""

import pytest
from django.conf import settings

from payments.stripe_api import endpoints, lookups
from payments.stripe_api.gateway import GatewayRefused
from tests.support.set_up import account_for
from tests.support.subscriber import emulate

USUAL = {
    "url": "https://shop.example/stripe/webhooks", "events": ["invoice.paid"], "version": settings.STRIPE_API_VERSION,
    "description": "The shop", "metadata": {"replaces": "we_0"},
}  # fmt: skip


@pytest.fixture(params=["emulator", "fake"])
def stripe(request, db, monkeypatch):
    return emulate(monkeypatch) if request.param == "emulator" else account_for(monkeypatch)


def listed(*names):
    return [[each[name] for name in names] for each in lookups.webhook_endpoints()]


class TestEndpoints:
    def test_are_made_with_a_secret_that_is_told_once(self, stripe):
        made = endpoints.create_endpoint(**USUAL)

        assert made.secret.startswith("whsec_")
        assert made.secret not in f"{made}{lookups.webhook_endpoints()}"
        assert listed("id", "url", "enabled_events", "api_version", "description", "metadata", "status") == [
            [made.id, *(USUAL[name] for name in ("url", "events", "version", "description", "metadata")), "enabled"]
        ]

    def test_are_listed_with_the_newest_first(self, stripe):
        first, second = (endpoints.create_endpoint(**USUAL).id for _ in range(2))

        assert listed("id") == [[second], [first]]

    def test_are_changed_in_what_is_told_alone(self, stripe):
        made = endpoints.create_endpoint(**USUAL)

        endpoints.update_endpoint(endpoint=made.id, params={"enabled_events": ["charge.refunded"], "disabled": True})

        assert listed("url", "enabled_events", "status") == [[USUAL["url"], ["charge.refunded"], "disabled"]]
        assert endpoints.update_endpoint(endpoint=made.id, params={"disabled": False}).raw["status"] == "enabled"

    def test_are_deleted_for_good(self, stripe):
        made = endpoints.create_endpoint(**USUAL)

        assert endpoints.delete_endpoint(endpoint=made.id).raw["deleted"] is True
        assert listed("id") == []
        with pytest.raises(GatewayRefused) as refusal:
            endpoints.update_endpoint(endpoint=made.id, params={"disabled": True})
        assert refusal.value.code == "resource_missing"
