"""The same key gives the same answer."""

import pytest
import stripe
from django.db import connections

from stripe_emulator.models import Event, KeptAnswer, StoredObject
from tests.support.emulated_payments import pay
from tests.support.emulator import refusal_of

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
