"""PaymentIntents through the official client."""

import pytest

from stripe_emulator.models import StoredObject
from tests.support.emulated_payments import SEPA_SUCCEEDS, debit, event_types, pay
from tests.support.emulator import official_client, refusal_of

OLDER = "2023-10-16"


class TestCreate:
    def test_waits_for_a_payment_method(self, stripe_api):
        intent = stripe_api.payment_intents.create({"amount": 4900, "currency": "EUR", "metadata": {"order": "7"}})

        assert (intent.status, intent.amount, intent.currency) == ("requires_payment_method", 4900, "eur")
        assert intent.metadata["order"] == "7"
        assert intent.client_secret.startswith(f"{intent.id}_secret_")
        assert event_types() == ["payment_intent.created"]

    def test_with_a_method_waits_for_confirmation(self, stripe_api):
        intent = pay(stripe_api, confirm=False)

        assert intent.status == "requires_confirmation"
        assert intent.payment_method.startswith("pm_1")

    @pytest.mark.parametrize(
        ("amount", "currency", "code"),
        [
            (49, "eur", "amount_too_small"),
            (0, "eur", "parameter_invalid_integer"),
            (-5, "eur", "parameter_invalid_integer"),
            (100_000_000, "eur", "amount_too_large"),
            ("many", "eur", "parameter_invalid_integer"),
        ],
    )
    def test_refuses_amounts_that_cannot_be_charged(self, stripe_api, amount, currency, code):
        refusal = refusal_of(stripe_api.payment_intents.create, {"amount": amount, "currency": currency})

        assert (refusal.code, refusal.param) == (code, "amount")
        assert not StoredObject.objects.exists()

    @pytest.mark.parametrize("params", [{"amount": 4900}, {"currency": "eur"}])
    @pytest.mark.parametrize("version", [None, OLDER])
    def test_refuses_to_guess_what_is_missing(self, db, params, version):
        refusal = refusal_of(official_client(version=version).v1.payment_intents.create, params)

        assert refusal.code == "parameter_missing"

    def test_refuses_a_currency_that_does_not_exist(self, stripe_api):
        refusal = refusal_of(stripe_api.payment_intents.create, {"amount": 4900, "currency": "xyz"})

        assert refusal.param == "currency"

    def test_refuses_a_customer_who_does_not_exist(self, stripe_api):
        refusal = refusal_of(
            stripe_api.payment_intents.create, {"amount": 4900, "currency": "eur", "customer": "cus_x"}
        )

        assert (refusal.code, refusal.param) == ("resource_missing", "customer")

    def test_takes_a_list_of_types_under_older_versions_only(self, stripe_api):
        params = {"amount": 4900, "currency": "eur", "payment_method_types": ["card"]}

        refusal = refusal_of(stripe_api.payment_intents.create, params)
        intent = official_client(version=OLDER).v1.payment_intents.create(params)

        assert (refusal.code, refusal.param) == ("parameter_unknown", "payment_method_types")
        assert (intent.payment_method_types, intent.automatic_payment_methods) == (["card"], None)


class TestCapture:
    def test_takes_the_reserved_amount(self, stripe_api):
        intent = pay(stripe_api, capture_method="manual")

        captured = stripe_api.payment_intents.capture(intent.id)

        assert (intent.status, intent.amount_capturable) == ("requires_capture", 4900)
        assert (captured.status, captured.amount_received, captured.amount_capturable) == ("succeeded", 4900, 0)
        assert event_types()[1:] == [
            "charge.succeeded",
            "payment_intent.amount_capturable_updated",
            "charge.captured",
            "payment_intent.succeeded",
            "charge.updated",
        ]

    def test_takes_less_of_it(self, stripe_api):
        intent = pay(stripe_api, capture_method="manual")

        captured = stripe_api.payment_intents.capture(intent.id, {"amount_to_capture": 1900})

        charge = stripe_api.charges.retrieve(captured.latest_charge)
        assert (captured.amount_received, charge.amount_captured) == (1900, 1900)

    @pytest.mark.parametrize("amount", [4901, 0, -1])
    def test_refuses_another_amount(self, stripe_api, amount):
        intent = pay(stripe_api, capture_method="manual")

        refusal = refusal_of(stripe_api.payment_intents.capture, intent.id, {"amount_to_capture": amount})

        assert refusal.param == "amount_to_capture"
        assert stripe_api.payment_intents.retrieve(intent.id).status == "requires_capture"

    def test_refuses_what_is_not_reserved(self, stripe_api):
        intent = pay(stripe_api)

        refusal = refusal_of(stripe_api.payment_intents.capture, intent.id)

        assert refusal.code == "payment_intent_unexpected_state"


class TestCancel:
    def test_ends_the_intent(self, stripe_api):
        intent = stripe_api.payment_intents.create({"amount": 4900, "currency": "eur"})

        canceled = stripe_api.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})

        assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
        assert canceled.canceled_at
        assert event_types()[-1] == "payment_intent.canceled"

    def test_releases_what_was_reserved(self, stripe_api):
        intent = pay(stripe_api, capture_method="manual")

        stripe_api.payment_intents.cancel(intent.id)

        assert stripe_api.charges.retrieve(intent.latest_charge).refunded is True

    def test_is_refused_when_the_money_is_here_or_on_its_way(self, stripe_api):
        for intent in (pay(stripe_api), debit(stripe_api, SEPA_SUCCEEDS)):
            refusal = refusal_of(stripe_api.payment_intents.cancel, intent.id)

            assert refusal.code == "payment_intent_unexpected_state"
            assert stripe_api.payment_intents.retrieve(intent.id).status == intent.status

    def test_is_refused_for_the_intent_of_a_session(self, stripe_api):
        intent = stripe_api.payment_intents.create({"amount": 4900, "currency": "eur"})
        StoredObject.objects.get(stripe_id=intent.id).remember(session="cs_test_1")

        refusal = refusal_of(stripe_api.payment_intents.cancel, intent.id)

        assert refusal.code == "payment_intent_unexpected_state"


class TestUpdate:
    def test_changes_an_open_intent(self, stripe_api):
        intent = stripe_api.payment_intents.create({"amount": 4900, "currency": "eur", "metadata": {"a": "1"}})

        updated = stripe_api.payment_intents.update(intent.id, {"amount": 5900, "metadata": {"b": "2"}})

        assert updated.amount == 5900
        assert updated.metadata.to_dict() == {"a": "1", "b": "2"}

    def test_leaves_the_amount_of_a_paid_one_alone(self, stripe_api):
        intent = pay(stripe_api)

        refusal = refusal_of(stripe_api.payment_intents.update, intent.id, {"amount": 1})
        described = stripe_api.payment_intents.update(intent.id, {"description": "A seat"})

        assert refusal.code == "amount_too_small"
        assert (described.description, described.amount) == ("A seat", 4900)
        assert (
            refusal_of(stripe_api.payment_intents.update, intent.id, {"amount": 5900}).code
            == "payment_intent_unexpected_state"
        )


class TestList:
    def test_finds_those_of_a_customer(self, stripe_api):
        customer = stripe_api.customers.create({})
        theirs = pay(stripe_api, customer=customer.id)
        pay(stripe_api)

        found = stripe_api.payment_intents.list({"customer": customer.id})

        assert [intent.id for intent in found.data] == [theirs.id]


class TestRetrieve:
    def test_refuses_an_unknown_id(self, stripe_api):
        refusal = refusal_of(stripe_api.payment_intents.retrieve, "pi_nobody")

        assert (refusal.code, refusal.http_status) == ("resource_missing", 404)
