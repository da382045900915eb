"""The console's buttons of sessions, payments and disputes."""

import pytest

from stripe_emulator import store
from stripe_emulator.behaviour import payment_intents, payment_methods
from stripe_emulator.models import Event, StoredObject

NOW = 1_800_000_000
URLS = {"success_url": "http://127.0.0.1:8000/thanks"}
POTTERY = {"currency": "eur", "unit_amount": 4900, "product_data": {"name": "Pottery"}}


def intent_paid_with(alias):
    intent = payment_intents.create_intent(NOW, amount=4900, currency="eur")
    payment_intents.confirm(intent, payment_methods.get_or_create(alias, at=NOW), at=NOW)
    return intent.stripe_id


def data_of(id):
    return StoredObject.objects.get(stripe_id=id).data


class TestSessionButtons:
    def test_pay_completes_the_session(self, console, session):
        page = console.press("session.pay", session.id)

        assert "The session is paid." in page
        assert data_of(session.id)["payment_status"] == "paid"
        assert Event.objects.filter(type="checkout.session.completed").count() == 1

    def test_decline_leaves_it_open_and_keeps_the_failed_try(self, console, session):
        page = console.press("session.decline", session.id)

        assert "The card was declined; the session stays open." in page
        assert data_of(session.id)["status"] == "open"
        assert Event.objects.filter(type="payment_intent.payment_failed").count() == 1

    def test_expire_ends_it(self, console, session):
        console.press("session.expire", session.id)

        assert data_of(session.id)["status"] == "expired"

    @pytest.mark.parametrize("act", ["session.pay", "session.decline", "session.expire"])
    def test_are_refused_once_it_is_over(self, console, session, act):
        console.press("session.expire", session.id)
        before = Event.objects.count()

        page = console.press(act, session.id)

        assert "Refused: Only Checkout Sessions with a status in" in page
        assert Event.objects.count() == before


class TestPaymentButtons:
    def test_refund_gives_back_all_without_an_amount(self, console):
        intent = intent_paid_with("pm_card_visa")

        page = console.press("payment.refund", intent)

        assert "The refund is made." in page
        assert data_of(data_of(intent)["latest_charge"])["refunded"] is True

    @pytest.mark.parametrize("written", ["12.50", "12,50", " 12.5 "])
    def test_refund_gives_back_the_amount_that_is_written(self, console, written):
        intent = intent_paid_with("pm_card_visa")

        console.press("payment.refund", intent, **{f"amount {intent}": written})

        assert data_of(data_of(intent)["latest_charge"])["amount_refunded"] == 1250

    @pytest.mark.parametrize("written", ["twelve", "-1", "12.505", "1e3", "99999999999", "0"])
    def test_refund_refuses_what_is_no_amount(self, console, written):
        intent = intent_paid_with("pm_card_visa")

        page = console.press("payment.refund", intent, **{f"amount {intent}": written})

        assert "Refused: " in page
        assert data_of(data_of(intent)["latest_charge"])["amount_refunded"] == 0

    def test_refund_refuses_more_than_was_paid(self, console):
        intent = intent_paid_with("pm_card_visa")

        page = console.press("payment.refund", intent, **{f"amount {intent}": "49.01"})

        assert "Refused: " in page
        assert not store.find("refund").exists()

    @pytest.mark.parametrize(
        ("act", "status", "case", "moved"),
        [
            ("payment.dispute", "needs_response", "chargeback", -1250),
            ("payment.prevent", "prevented", "resolution", -1250),
        ],
    )
    def test_a_part_is_disputed_or_settled_before(self, console, act, status, case, moved):
        intent = intent_paid_with("pm_card_visa")

        console.press(act, intent, **{f"amount {intent}": "12.50"})

        dispute = store.find("dispute").get().data
        kind = dispute["payment_method_details"]["card"]["case_type"]
        sums = [row["amount"] for row in dispute["balance_transactions"]]
        assert (dispute["status"], kind, dispute["amount"], sums) == (status, case, 1250, [moved])
        assert dispute["evidence_details"]["due_by"] is None or act == "payment.dispute"

    def test_more_than_is_left_is_not_disputed(self, console):
        intent = intent_paid_with("pm_card_visa")

        assert "Refused: " in console.press("payment.dispute", intent, **{f"amount {intent}": "49.01"})
        assert not store.find("dispute").exists()

    @pytest.mark.parametrize(("act", "status"), [("dispute.win", "won"), ("dispute.lose", "lost")])
    def test_a_dispute_is_opened_and_ends(self, console, act, status):
        intent = intent_paid_with("pm_card_visa")

        console.press("payment.dispute", intent)
        dispute = store.find("dispute").get().stripe_id
        console.press(act, dispute)

        assert data_of(dispute)["status"] == status
        assert "Refused: " in console.press(act, dispute)

    @pytest.mark.parametrize(
        ("act", "status"), [("payment.settle", "succeeded"), ("payment.bounce", "requires_payment_method")]
    )
    def test_a_debit_ends_at_once(self, console, act, status):
        intent = intent_paid_with("pm_success_de")

        console.press(act, intent)

        assert data_of(intent)["status"] == status

    @pytest.mark.parametrize(
        ("act", "status"), [("payment.authenticate", "succeeded"), ("payment.reject", "requires_payment_method")]
    )
    def test_the_question_of_the_bank_is_answered(self, console, act, status):
        intent = intent_paid_with("pm_card_authenticationRequired")

        console.press(act, intent)

        assert data_of(intent)["status"] == status

    def test_are_refused_where_nothing_was_paid(self, console, db):
        intent = payment_intents.create_intent(NOW, amount=4900, currency="eur")

        assert "Refused: This payment has no charge." in console.press("payment.refund", intent.stripe_id)
