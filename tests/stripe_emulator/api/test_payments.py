"""PaymentIntents through the official client: made, confirmed, cancelled."""

import pytest
import stripe

from stripe_emulator.models import Event, StoredObject
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
            (29, "gbp", "amount_too_small"),
            (17_499, "huf", "amount_too_small"),
            (1_000_000_000_000, "idr", "amount_too_large"),
            (5124, "kwd", "parameter_invalid_integer"),
            (550, "isk", "parameter_invalid_integer"),
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
    def test_is_never_left_for_later(self, stripe_api):
        refusal = refusal_of(pay, stripe_api, capture_method="manual")

        assert refusal.param == "capture_method"


class TestCancel:
    def test_ends_the_intent(self, stripe_api):
        intent = stripe_api.payment_intents.create({"amount": 4900, "currency": "eur"})

        canceled = stripe_api.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})

        assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
        assert canceled.canceled_at
        assert event_types()[-1] == "payment_intent.canceled"

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


class TestConfirm:
    def test_succeeds_and_tells_it_in_order(self, stripe_api):
        intent = pay(stripe_api, metadata={"order": "7"})

        charge = stripe_api.charges.retrieve(intent.latest_charge)
        assert (intent.status, intent.amount_received) == ("succeeded", 4900)
        assert (charge.paid, charge.captured, charge.metadata["order"]) == (True, True, "7")
        assert event_types() == [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "charge.updated",
        ]

    def test_attaches_the_balance_transaction_after_the_success(self, stripe_api):
        intent = pay(stripe_api, amount=10_000)

        succeeded = Event.objects.get(type="charge.succeeded")
        updated = Event.objects.get(type="charge.updated")
        charge = stripe_api.charges.retrieve(intent.latest_charge, {"expand": ["balance_transaction"]})
        assert succeeded.object["balance_transaction"] is None
        assert updated.previous == {"balance_transaction": None}
        assert (charge.balance_transaction.fee, charge.balance_transaction.net) == (175, 9825)

    @pytest.mark.parametrize(
        ("method", "code", "decline_code"),
        [
            ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
            ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
            ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
            ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
            ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
        ],
    )
    def test_keeps_what_a_declined_card_has_left(self, stripe_api, method, code, decline_code):
        refusal = refusal_of(pay, stripe_api, method)

        assert isinstance(refusal, stripe.CardError)
        assert (refusal.code, refusal.error.decline_code) == (code, decline_code)
        intent = stripe_api.payment_intents.retrieve(refusal.error.payment_intent.id)
        assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
        assert intent.last_payment_error.decline_code == decline_code
        charge = stripe_api.charges.retrieve(intent.latest_charge)
        assert (charge.status, charge.failure_code) == ("failed", code)
        assert event_types() == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]

    def test_may_be_tried_again_after_a_decline(self, stripe_api):
        refusal = refusal_of(pay, stripe_api, "pm_card_chargeDeclined")
        id = refusal.error.payment_intent.id

        intent = stripe_api.payment_intents.confirm(id, {"payment_method": "pm_card_visa"})

        assert (intent.status, intent.last_payment_error) == ("succeeded", None)

    def test_asks_for_authentication(self, stripe_api):
        plain = pay(stripe_api, "pm_card_threeDSecure2Required")
        with_address = pay(stripe_api, "pm_card_authenticationRequired", return_url="https://shop.example/back")

        assert (plain.status, plain.next_action.type) == ("requires_action", "use_stripe_sdk")
        assert with_address.next_action.redirect_to_url.return_url == "https://shop.example/back"
        assert event_types(plain.id)[-1] == "payment_intent.requires_action"
        assert plain.latest_charge is None

    def test_cannot_ask_a_buyer_who_is_absent(self, stripe_api):
        refusal = refusal_of(pay, stripe_api, "pm_card_authenticationRequired", off_session=True)

        assert (refusal.code, refusal.error.decline_code) == ("authentication_required", "authentication_required")

    def test_leaves_a_debit_under_way(self, stripe_api):
        intent = debit(stripe_api, SEPA_SUCCEEDS)

        charge = stripe_api.charges.retrieve(intent.latest_charge)
        assert (intent.status, charge.status, charge.paid) == ("processing", "pending", False)
        assert event_types()[1:] == ["payment_intent.processing", "charge.pending"]

    def test_refuses_a_debit_in_another_currency(self, stripe_api):
        method = stripe_api.payment_methods.create(
            {
                "type": "sepa_debit",
                "sepa_debit": {"iban": SEPA_SUCCEEDS},
                "billing_details": {"name": "Ada", "email": "ada@example.com"},
            }
        )

        refusal = refusal_of(pay, stripe_api, method.id, currency="usd")

        assert refusal.param == "payment_method"

    def test_refuses_to_pay_twice(self, stripe_api):
        intent = pay(stripe_api)

        refusal = refusal_of(stripe_api.payment_intents.confirm, intent.id, {"payment_method": "pm_card_visa"})

        assert refusal.code == "payment_intent_unexpected_state"
        assert len(stripe_api.charges.list({"payment_intent": intent.id}).data) == 1

    def test_refuses_without_a_method(self, stripe_api):
        intent = stripe_api.payment_intents.create({"amount": 4900, "currency": "eur"})

        refusal = refusal_of(stripe_api.payment_intents.confirm, intent.id)

        assert refusal.code == "payment_intent_unexpected_state"

    def test_refuses_a_method_that_was_used_without_a_customer(self, stripe_api):
        used = pay(stripe_api).payment_method

        refusal = refusal_of(pay, stripe_api, used)

        assert refusal.code == "payment_method_unexpected_state"

    def test_refuses_the_method_of_another_customer(self, stripe_api):
        owner = stripe_api.customers.create({"payment_method": "pm_card_visa"})
        (method,) = stripe_api.payment_methods.list({"customer": owner.id}).data

        refusal = refusal_of(pay, stripe_api, method.id)

        assert refusal.param == "payment_method"

    def test_keeps_the_method_for_later_when_asked_to(self, stripe_api):
        customer = stripe_api.customers.create({})

        intent = pay(stripe_api, customer=customer.id, setup_future_usage="off_session")

        assert stripe_api.payment_methods.retrieve(intent.payment_method).customer == customer.id
        assert pay(stripe_api, intent.payment_method, customer=customer.id, off_session=True).status == "succeeded"
