"""How Stripe objects are read: any shape, strict about money, forgiving about the rest."""

from datetime import UTC, datetime

import pytest

from payments.facts import Failure
from payments.stripe_api.snapshots import (
    Charge,
    CheckoutSession,
    Dispute,
    MalformedObject,
    Money,
    PaymentIntent,
    Refund,
    id_of,
)
from tests.support.stripe_objects import (
    MORNING,
    ORDER,
    REGISTRATION,
    charge_object,
    dispute_object,
    intent_object,
    refund_object,
    session_object,
)

NO_AMOUNT: list[object] = [None, True, "4900", 4900.0, -1, 10**20, [], {}]


class TestIdOf:
    @pytest.mark.parametrize(
        ("value", "found"),
        [
            ("pi_1", "pi_1"),
            ({"id": "pi_1", "object": "payment_intent"}, "pi_1"),
            (None, ""),
            ({}, ""),
            (7, ""),
        ],
    )
    def test_takes_an_id_an_expanded_object_or_nothing(self, value, found):
        assert id_of(value) == found

    def test_drops_what_is_too_long_to_be_an_id(self):
        assert id_of("p" * 256) == ""


class TestNamesInMetadata:
    def test_are_all_read(self):
        about = CheckoutSession.read(session_object()).about

        assert (about.order, about.registration, about.attempt, about.site) == (
            ORDER,
            REGISTRATION,
            2,
            "payments",
        )

    @pytest.mark.parametrize(
        "metadata", [None, [], "odd", 7, {}, {"orderId": None}, {"orderId": 12, "attempt": {}}]
    )
    def test_may_be_missing_or_odd(self, metadata):
        about = PaymentIntent.read(intent_object(metadata=metadata)).about

        assert about.our_names() == ()
        assert about.attempt is None

    @pytest.mark.parametrize("attempt", ["0", "-1", "2.0", "two", "", "٣", "9" * 30, 2, True])
    def test_hold_a_positive_attempt_or_none(self, attempt):
        about = PaymentIntent.read(intent_object(metadata={"attempt": attempt})).about

        assert about.attempt is None

    def test_keep_the_id_of_an_old_system_as_it_is(self):
        about = PaymentIntent.read(intent_object(metadata={"registrationId": " Reg-12/B "})).about

        assert about.registration == "Reg-12/B"

    def test_write_our_own_id_as_the_database_does(self):
        about = PaymentIntent.read(intent_object(metadata={"orderId": ORDER.upper()})).about

        assert about.order == ORDER

    def test_are_dropped_when_too_long_to_be_stored(self):
        about = PaymentIntent.read(intent_object(metadata={"registrationId": "r" * 500})).about

        assert about.registration == ""


class TestCheckoutSession:
    def test_names_itself_and_its_payment(self):
        about = CheckoutSession.read(session_object(payment_intent={"id": "pi_1"})).about

        assert (about.session, about.payment_intent, about.charge) == ("cs_test_1", "pi_1", "")

    def test_falls_back_on_the_client_reference(self):
        about = CheckoutSession.read(session_object(metadata={})).about

        assert about.order == ORDER

    @pytest.mark.parametrize("reference", ["cart-17", None, 12])
    def test_takes_only_a_uuid_as_client_reference(self, reference):
        about = CheckoutSession.read(session_object(metadata={}, client_reference_id=reference)).about

        assert about.order == ""

    def test_prefers_the_metadata_to_the_client_reference(self):
        about = CheckoutSession.read(session_object(client_reference_id=REGISTRATION)).about

        assert about.order == ORDER

    def test_tells_its_total_with_its_currency(self):
        assert CheckoutSession.read(session_object(currency="EUR")).total == Money(4900, "eur")

    def test_needs_no_amount_as_long_as_nobody_asks(self):
        session = CheckoutSession.read(session_object(amount_total=None, currency=None))

        assert session.mode == "payment"

    @pytest.mark.parametrize("amount", NO_AMOUNT)
    def test_refuses_an_amount_that_is_none(self, amount):
        session = CheckoutSession.read(session_object(amount_total=amount))

        with pytest.raises(
            MalformedObject, match=r"checkout\.session cs_test_1: amount_total is .+ not a whole amount"
        ):
            _ = session.total

    @pytest.mark.parametrize("odd", [None, "", 7, [], {"x": 1}, "x" * 256])
    def test_refuses_an_object_without_an_id(self, odd):
        with pytest.raises(MalformedObject, match="its id is"):
            CheckoutSession.read(session_object(id=odd))


class TestPaymentIntent:
    @pytest.mark.parametrize(
        "shape",
        [
            {"latest_charge": "ch_1"},
            {"latest_charge": {"id": "ch_1", "object": "charge"}},
            {"latest_charge": None, "charges": {"data": [{"id": "ch_1"}, {"id": "ch_0"}]}},
        ],
    )
    def test_names_its_latest_charge_in_every_shape(self, shape):
        assert PaymentIntent.read(intent_object(**shape)).about.charge == "ch_1"

    def test_tells_what_was_received(self):
        assert PaymentIntent.read(intent_object()).received == Money(4900, "eur")

    @pytest.mark.parametrize("charge", ["ch_2", {"id": "ch_2", "object": "charge"}])
    def test_names_the_declined_charge(self, charge):
        intent = PaymentIntent.read(intent_object(last_payment_error={"charge": charge}))

        assert intent.about_failure.charge == "ch_2"
        assert intent.about_failure.order == ORDER

    @pytest.mark.parametrize(
        ("error", "failure"),
        [
            (
                {"code": "card_declined", "decline_code": "lost_card", "message": "No."},
                Failure("lost_card", "No."),
            ),
            ({"code": "expired_card", "message": "Expired."}, Failure("expired_card", "Expired.")),
            ({"code": 7, "decline_code": [], "message": None}, Failure()),
            (None, Failure()),
            ("odd", Failure()),
        ],
    )
    def test_tells_why_the_last_try_failed(self, error, failure):
        assert PaymentIntent.read(intent_object(last_payment_error=error)).failure == failure


class TestCharge:
    def test_tells_what_was_captured_and_refunded(self):
        charge = Charge.read(charge_object())

        assert (charge.captured, charge.refunded, charge.currency, charge.created) == (
            4900,
            1000,
            "eur",
            MORNING,
        )

    @pytest.mark.parametrize(("is_captured", "captured"), [(True, 4900), (False, 0)])
    def test_understands_captured_without_an_amount(self, is_captured, captured):
        old = charge_object(amount_captured=None, captured=is_captured)

        assert Charge.read(old).captured == captured

    def test_reads_the_refunds_that_old_versions_include(self):
        charge = Charge.read(charge_object(refunds={"object": "list", "data": [refund_object()]}))

        assert [refund.id for refund in charge.refunds] == ["re_1"]

    @pytest.mark.parametrize("refunds", [None, [], {}, {"data": None}, {"data": ["re_1", None]}])
    def test_does_without_included_refunds(self, refunds):
        assert Charge.read(charge_object(refunds=refunds)).refunds == ()

    @pytest.mark.parametrize("created", [None, 0, -5, True, "morning", 10**18])
    def test_may_not_know_when_it_was_made(self, created):
        assert Charge.read(charge_object(created=created)).created is None

    @pytest.mark.parametrize("name", ["amount_captured", "amount_refunded"])
    def test_refuses_an_odd_amount(self, name):
        with pytest.raises(MalformedObject, match=name):
            Charge.read(charge_object(**{name: "4900"}))

    @pytest.mark.parametrize("currency", [None, "", "euro", 978, "€"])
    def test_refuses_an_odd_currency(self, currency):
        with pytest.raises(MalformedObject, match="currency"):
            Charge.read(charge_object(currency=currency))


class TestRefund:
    def test_is_read_with_expanded_names(self):
        refund = Refund.read(refund_object(charge={"id": "ch_1"}, payment_intent={"id": "pi_1"}))

        assert (refund.about.payment_intent, refund.about.charge) == ("pi_1", "ch_1")

    def test_counts_as_under_way_when_stripe_tells_no_status(self):
        assert Refund.read(refund_object(status=None)).status == "pending"

    @pytest.mark.parametrize("amount", NO_AMOUNT)
    def test_refuses_an_amount_that_is_none(self, amount):
        with pytest.raises(MalformedObject, match="refund re_1: amount is"):
            Refund.read(refund_object(amount=amount))


class TestDispute:
    def test_tells_until_when_it_can_be_answered(self):
        due_by = datetime(2026, 11, 27, 12, tzinfo=UTC)

        dispute = Dispute.read(dispute_object(evidence_details={"due_by": int(due_by.timestamp())}))

        assert dispute.due_by == due_by

    @pytest.mark.parametrize("details", [{"due_by": 0}, {"due_by": None}, {}, None, "odd"])
    def test_has_no_date_when_no_answer_is_possible(self, details):
        assert Dispute.read(dispute_object(evidence_details=details)).due_by is None

    def test_does_without_a_payment_intent(self):
        about = Dispute.read(dispute_object(payment_intent=None)).about

        assert about.names() == ("ch_1",)

    def test_keeps_a_status_that_nobody_knows_yet(self):
        assert Dispute.read(dispute_object(status="brand_new")).status == "brand_new"

    def test_refuses_to_guess_a_missing_status(self):
        with pytest.raises(MalformedObject, match="status is missing"):
            Dispute.read(dispute_object(status=None))


class TestMalformedObject:
    def test_never_repeats_a_text_that_may_be_personal(self):
        with pytest.raises(MalformedObject) as refusal:
            Refund.read(refund_object(amount="camille@example.com"))

        assert "camille" not in str(refusal.value)

    def test_names_an_odd_number(self):
        with pytest.raises(MalformedObject, match=r"amount is -1000, not a whole amount"):
            Refund.read(refund_object(amount=-1000))
