"""The door: who may enter, what is answered to whom."""

import base64

import pytest
from django.conf import settings
from django.test import Client

from stripe_emulator.models import StoredObject
from tests.support.emulator import FORM

BEARER = f"Bearer {settings.STRIPE_SECRET_KEY}"
BASIC = "Basic " + base64.b64encode(f"{settings.STRIPE_SECRET_KEY}:".encode()).decode()

pytestmark = [pytest.mark.django_db, pytest.mark.urls("stripe_emulator.urls")]


def call(method, path, body="", **headers):
    told = {"Authorization": BEARER, "Stripe-Version": settings.STRIPE_API_VERSION, **headers}
    return Client().generic(method, f"/v1/{path}", body, content_type=FORM, headers=told)


class TestKey:
    @pytest.mark.parametrize("told", [BEARER, BASIC, BEARER.replace("Bearer", "bearer")])
    def test_opens(self, told):
        assert call("GET", "customers", Authorization=told).status_code == 200

    @pytest.mark.parametrize(
        "told",
        ["", "Bearer ", "Bearer sk_test_nobody", f"Bearer {settings.STRIPE_SECRET_KEY}x", "Basic !", "Basic //8="],
    )
    def test_that_is_not_ours_opens_nothing(self, told):
        answer = call("POST", "customers", Authorization=told)

        assert answer.status_code == 401
        assert answer.json()["error"]["type"] == "invalid_request_error"
        assert not StoredObject.objects.exists()

    def test_is_not_told_to_those_who_guess(self):
        answer = call("GET", "customers", Authorization="Bearer sk_test_a_guess_of_somebody")

        assert "guess" not in answer.json()["error"]["message"]
        assert settings.STRIPE_SECRET_KEY not in answer.content.decode()


class TestAnswer:
    def test_tells_request_and_version(self):
        answer = call("GET", "customers", **{"Stripe-Version": "2023-10-16"})

        assert answer["Request-Id"].startswith("req_")
        assert answer["Stripe-Version"] == "2023-10-16"
        assert answer["Content-Type"] == "application/json"

    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "unicorns"), ("PUT", "customers"), ("DELETE", "customers"), ("GET", "customers/a/b")],
    )
    def test_to_an_unknown_address_says_so(self, method, path):
        answer = call(method, path)

        assert answer.status_code == 404
        assert f"{method}: /v1/{path}" in answer.json()["error"]["message"]

    def test_is_the_same_with_a_slash_at_the_end(self):
        assert call("GET", "customers/").status_code == 200

    def test_to_unknown_bytes_is_a_refusal_or_an_object(self):
        answer = call("POST", "customers", b"name=\xff\xfe")

        assert answer.status_code == 200

    def test_names_the_log_of_a_refusal(self):
        error = call("POST", "payment_intents", "amount=1&currency=eur").json()["error"]

        assert error["code"] == "amount_too_small"
        assert error["request_log_url"].startswith("http")
        assert set(error) == {"code", "message", "param", "request_log_url", "type"}

    def test_changes_nothing_when_it_refuses_late(self):
        answer = call("POST", "customers", "name=Ada&expand[]=shoe_size")

        assert answer.status_code == 400
        assert not StoredObject.objects.exists()

    def test_keeps_what_a_decline_has_left(self):
        answer = call(
            "POST", "payment_intents", "amount=4900&currency=eur&payment_method=pm_card_chargeDeclined&confirm=true"
        )

        assert answer.status_code == 402
        assert answer.json()["error"]["payment_intent"]["status"] == "requires_payment_method"
        assert StoredObject.objects.filter(kind="charge").exists()
