"""What tests of the API may use: a client that speaks JSON, and a Stripe without a network."""

from functools import partial

import pytest
from django.test import Client

from payments.checkout import open_checkout as checkout
from payments.stripe_api import gateway as real
from tests.support.fake_gateway import FakeGateway
from tests.support.road import NOON

PERSON = {"name": "Camille Martin", "email": "camille@example.com"}


@pytest.fixture(autouse=True)
def _noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def stripe(monkeypatch):
    """Stands where the real gateway does."""
    fake = FakeGateway()
    fake.now = int(NOON.timestamp())
    for module in (checkout, real):
        for name in ("create_checkout_session", "retrieve_checkout_session", "expire_checkout_session"):
            monkeypatch.setattr(module, name, getattr(fake, name), raising=False)
    return fake


class Api:
    """Somebody's program; answers in English."""

    def __init__(self):
        self.client = Client(enforce_csrf_checks=True, headers={"Accept-Language": "en"})
        self.get = self.client.get
        self.post = partial(self.client.post, content_type="application/json")

    def register(self, slug="pottery", **fields):
        return self.post(f"/api/activities/{slug}/registrations/", {**PERSON, **fields})


@pytest.fixture
def api(db, settings):
    settings.STRIPE_RATE_LIMIT_MAX = 1000
    return Api()


def code_of(response):
    return response.json()["error"]["code"]
