"""What happens to a PaymentIntent without a call of the API: answers of buyers and of banks."""

import pytest

from stripe_emulator import clock, timers
from stripe_emulator.behaviour import payment_intents
from stripe_emulator.behaviour.payment_methods import get_or_create
from stripe_emulator.errors import CardDeclined, StripeRefusal
from stripe_emulator.models import StoredObject, Timer
from tests.support.emulated_payments import SEPA_FAILS, SEPA_SUCCEEDS, debit, event_types, pay

NOON = 1_800_000_000


def stored(id):
    return StoredObject.objects.get(stripe_id=id)


@pytest.fixture
def told(monkeypatch):
    """Statuses of the intents of a story that was told about them."""
    statuses = []
    followers = {"story": lambda intent, at: statuses.append(intent.data["status"])}
    monkeypatch.setattr(payment_intents, "OBSERVERS", followers)
    return statuses


@pytest.fixture
def intent(db):
    """49 € to be paid for a story."""
    return payment_intents.create_intent(NOON, amount=4900, currency="eur", hidden={"story": "yes"})


class TestConfirm:
    def test_tells_followers_of_success(self, intent, told):
        payment_intents.confirm(intent, get_or_create("pm_card_visa", at=NOON), at=NOON)

        assert told == ["succeeded"]
        assert event_types()[-1] == "charge.updated"

    def test_tells_followers_nothing_of_a_decline(self, intent, told):
        with pytest.raises(CardDeclined):
            payment_intents.confirm(intent, get_or_create("pm_card_chargeDeclined", at=NOON), at=NOON)

        assert told == []

    @pytest.mark.usefixtures("told")
    def test_leaves_the_invoice_on_the_charge(self, db):
        intent = payment_intents.create_intent(NOON, amount=4900, currency="eur", hidden={"invoice": "in_1"})

        payment_intents.confirm(intent, get_or_create("pm_card_visa", at=NOON), at=NOON)

        assert stored(intent.data["latest_charge"]).hidden["invoice"] == "in_1"


class TestAuthenticate:
    @pytest.fixture
    def asking(self, intent):
        payment_intents.confirm(intent, get_or_create("pm_card_threeDSecure2Required", at=NOON), at=NOON)
        return intent

    def test_that_succeeds_pays(self, asking, told):
        payment_intents.authenticate(asking, at=NOON + 9, succeeded=True)

        charge = stored(asking.data["latest_charge"])
        assert (asking.data["status"], asking.data["next_action"]) == ("succeeded", None)
        assert charge.data["payment_method_details"]["card"]["three_d_secure"]["result"] == "authenticated"
        assert charge.created == NOON + 9
        assert told == ["succeeded"]

    def test_that_fails_leaves_the_intent_open(self, asking, told):
        with pytest.raises(CardDeclined) as refusal:
            payment_intents.authenticate(asking, at=NOON, succeeded=False)

        assert refusal.value.code == "payment_intent_authentication_failure"
        assert asking.data["status"] == "requires_payment_method"
        assert asking.data["last_payment_error"]["code"] == "payment_intent_authentication_failure"
        assert event_types()[-1] == "payment_intent.payment_failed"
        assert told == []

    def test_does_not_help_against_an_empty_account(self, intent):
        alias = "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds"
        payment_intents.confirm(intent, get_or_create(alias, at=NOON), at=NOON)

        with pytest.raises(CardDeclined) as refusal:
            payment_intents.authenticate(intent, at=NOON, succeeded=True)

        assert refusal.value.decline_code == "insufficient_funds"

    def test_is_refused_when_nothing_was_asked(self, intent):
        with pytest.raises(StripeRefusal) as refusal:
            payment_intents.authenticate(intent, at=NOON, succeeded=True)

        assert refusal.value.code == "payment_intent_unexpected_state"


class TestSettle:
    def test_happens_by_itself(self, stripe_api):
        paid, failed = debit(stripe_api, SEPA_SUCCEEDS), debit(stripe_api, SEPA_FAILS)

        timers.advance(40)
        early = [stored(each.id).data["status"] for each in (paid, failed)]
        timers.advance(40)

        assert early == ["processing", "processing"]
        assert [stored(each.id).data["status"] for each in (paid, failed)] == ["succeeded", "requires_payment_method"]

    def test_brings_the_money(self, stripe_api):
        intent = stored(debit(stripe_api, SEPA_SUCCEEDS).id)

        payment_intents.settle(intent, at=intent.created + 5, succeeded=True)

        charge = stored(intent.data["latest_charge"])
        assert (charge.data["paid"], intent.data["amount_received"]) == (True, 4900)
        assert event_types()[-3:] == ["charge.succeeded", "payment_intent.succeeded", "charge.updated"]
        assert not Timer.objects.filter(about=intent).exists()

    def test_that_fails_leaves_the_intent_open(self, stripe_api, told):
        intent = stored(debit(stripe_api, SEPA_SUCCEEDS).id)
        intent.remember(story="yes")

        payment_intents.settle(intent, at=intent.created + 5, succeeded=False)

        charge = stored(intent.data["latest_charge"])
        assert (charge.data["status"], charge.data["paid"], charge.data["amount_captured"]) == ("failed", False, 0)
        assert intent.data["last_payment_error"]["charge"] == charge.stripe_id
        assert event_types()[-2:] == ["charge.failed", "payment_intent.payment_failed"]
        assert told == ["requires_payment_method"]

    def test_tells_followers_at_each_step(self, intent, told):
        test_account = get_or_create("pm_success_at", at=NOON)
        payment_intents.confirm(intent, test_account, at=NOON)

        payment_intents.settle(intent, at=NOON + 60, succeeded=True)

        assert told == ["processing", "succeeded"]

    def test_is_refused_twice(self, stripe_api):
        intent = stored(debit(stripe_api, SEPA_SUCCEEDS).id)
        payment_intents.settle(intent, at=intent.created, succeeded=True)

        with pytest.raises(StripeRefusal):
            payment_intents.settle(intent, at=intent.created, succeeded=False)

        assert intent.data["status"] == "succeeded"


class TestTime:
    def test_of_a_charge_is_that_of_its_intent(self, stripe_api):
        old = stored(stripe_api.payment_intents.create({"amount": 4900, "currency": "eur"}).id)
        timers.advance(30 * 24 * 3600)

        stripe_api.payment_intents.confirm(old.stripe_id, {"payment_method": "pm_card_visa"})
        young = stored(pay(stripe_api).id)

        old_charge = stored(stored(old.stripe_id).data["latest_charge"])
        assert old_charge.created >= old.created + 30 * 24 * 3600
        assert old_charge.ahead == old.ahead
        assert young.created <= clock.real_now()
