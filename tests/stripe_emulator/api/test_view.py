"""The door: who may enter, what is answered to whom."""

import base64

import pytest
import stripe
from django.conf import settings
from django.db import connections
from django.test import Client

from stripe_emulator.models import Event, KeptAnswer, StoredObject
from tests.support.emulated_payments import pay
from tests.support.emulator import FORM, refusal_of

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


KEY = {"idempotency_key": "order-7:1"}


class TestIdempotencyKey:
    def test_does_not_pay_twice(self, stripe_api):
        params = {"amount": 4900, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}

        first, again = (stripe_api.payment_intents.create(params, KEY) for _ in range(2))

        assert again.id == first.id
        assert again.last_response.headers["Idempotent-Replayed"] == "true"
        assert StoredObject.objects.filter(kind="charge").count() == 1

    def test_keeps_a_decline_too(self, stripe_api):
        params = {"amount": 4900, "currency": "eur", "payment_method": "pm_card_chargeDeclined", "confirm": True}

        first, again = (refusal_of(stripe_api.payment_intents.create, params, KEY) for _ in range(2))

        assert isinstance(again, stripe.CardError)
        assert again.error.charge == first.error.charge
        assert Event.objects.filter(type="charge.failed").count() == 1

    def test_keeps_no_refusal_of_parameters(self, stripe_api):
        refusal_of(stripe_api.payment_intents.create, {"amount": 1, "currency": "eur"}, KEY)

        assert stripe_api.payment_intents.create({"amount": 4900, "currency": "eur"}, KEY).amount == 4900

    @pytest.mark.parametrize("other", [{"amount": 5000}, {"expand": ["latest_charge"]}])
    def test_is_refused_for_other_parameters(self, stripe_api, other):
        params = {"amount": 4900, "currency": "eur"}
        stripe_api.payment_intents.create(params, KEY)

        refusal = refusal_of(stripe_api.payment_intents.create, params | other, KEY)

        assert isinstance(refusal, stripe.IdempotencyError)
        assert StoredObject.objects.count() == 1

    def test_is_refused_for_another_path(self, stripe_api):
        stripe_api.customers.create({}, KEY)

        assert isinstance(refusal_of(stripe_api.products.create, {"name": "a"}, KEY), stripe.IdempotencyError)

    def test_that_is_too_long_is_refused(self, stripe_api):
        refusal = refusal_of(stripe_api.customers.create, {}, {"idempotency_key": "k" * 256})

        assert isinstance(refusal, stripe.IdempotencyError)
        assert not KeptAnswer.objects.exists()

    def test_is_told_in_the_events_that_it_caused(self, stripe_api):
        stripe_api.customers.create({}, KEY)

        event = Event.objects.get()
        assert event.idempotency_key == "order-7:1"
        assert event.request_id.startswith("req_")

    def test_in_use_by_another_call_is_told_so(self, stripe_api):
        other = connections.create_connection("default")
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", ["order-7:1"])

        refusal = refusal_of(stripe_api.customers.create, {}, KEY)
        other.close()

        assert refusal.http_status == 409
        assert not StoredObject.objects.exists()

    def test_changes_nothing_for_reading_calls(self, stripe_api):
        intent = pay(stripe_api)

        stripe_api.payment_intents.retrieve(intent.id, {}, KEY)

        assert not KeptAnswer.objects.filter(key="order-7:1").exists()


class TestExpand:
    def test_replaces_an_id_by_its_object(self, stripe_api):
        intent = pay(stripe_api, expand=["latest_charge"])

        assert intent.latest_charge.object == "charge"
        assert stripe_api.payment_intents.retrieve(intent.id).latest_charge == intent.latest_charge.id

    def test_goes_as_deep_as_asked(self, stripe_api):
        id = pay(stripe_api).id

        intent = stripe_api.payment_intents.retrieve(
            id, {"expand": ["latest_charge.balance_transaction", "latest_charge.payment_intent.latest_charge"]}
        )

        assert intent.latest_charge.balance_transaction.type == "charge"
        assert intent.latest_charge.payment_intent.latest_charge.id == intent.latest_charge.id

    def test_reaches_the_rows_of_a_list(self, stripe_api):
        pay(stripe_api)
        stripe_api.payment_intents.create({"amount": 4900, "currency": "eur"})

        unpaid, paid = stripe_api.payment_intents.list({"expand": ["data.latest_charge"]}).data

        assert (unpaid.latest_charge, paid.latest_charge.object) == (None, "charge")

    def test_shows_a_stub_of_what_was_deleted(self, stripe_api):
        customer = stripe_api.customers.create({})
        intent = stripe_api.payment_intents.create({"amount": 4900, "currency": "eur", "customer": customer.id})
        stripe_api.customers.delete(customer.id)

        found = stripe_api.payment_intents.retrieve(intent.id, {"expand": ["customer"]})

        assert found.customer.deleted is True

    @pytest.mark.parametrize(
        "paths",
        [
            ["shoe_size"],
            ["latest_charge.shoe_size"],
            ["latest_charge.payment_intent.latest_charge.payment_intent.latest_charge"],
            ["latest_charge"] * 21,
        ],
    )
    def test_refuses_what_cannot_be_expanded(self, stripe_api, paths):
        id = pay(stripe_api).id

        refusal = refusal_of(stripe_api.payment_intents.retrieve, id, {"expand": paths})

        assert refusal.param.startswith("expand")
