"""Disputes through the official client."""

import pytest

from stripe_emulator import clock, store, timers
from stripe_emulator.behaviour.disputes import open_dispute
from stripe_emulator.models import Event
from tests.support.emulated_payments import event_types, pay
from tests.support.emulator import refusal_of


@pytest.fixture
def dispute(stripe_api):
    """A chargeback over 49 €."""
    intent = pay(stripe_api, "pm_card_createDispute")
    return stripe_api.disputes.list({"payment_intent": intent.id}).data[0]


@pytest.fixture
def inquiry(stripe_api):
    """A question about 49 €."""
    intent = pay(stripe_api, "pm_card_createDisputeInquiry")
    return stripe_api.disputes.list({"charge": intent.latest_charge}).data[0]


def movements(stripe_api, dispute):
    found = stripe_api.balance_transactions.list({"source": dispute.id})
    return [(moved.amount, moved.fee) for moved in found.data]


class TestChargeback:
    def test_takes_the_money_and_a_fee(self, stripe_api, dispute):
        assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 4900)
        assert dispute.evidence_details.due_by > dispute.created
        assert stripe_api.charges.retrieve(dispute.charge).disputed is True
        assert movements(stripe_api, dispute) == [(-4900, 2000)]
        assert event_types(dispute.id) == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]

    def test_shows_the_movement_from_the_beginning(self, stripe_api, dispute):
        created = Event.objects.get(type="charge.dispute.created")

        assert created.object["balance_transactions"][0]["net"] == -6900

    def test_leaves_out_what_was_refunded_before(self, stripe_api):
        intent = pay(stripe_api)
        stripe_api.refunds.create({"payment_intent": intent.id, "amount": 900})
        charge = store.get("charge", intent.latest_charge)

        open_dispute(charge, at=clock.now_for(charge), reason="product_not_received")

        (dispute,) = stripe_api.disputes.list({"payment_intent": intent.id}).data

        assert (dispute.amount, dispute.reason) == (4000, "product_not_received")


class TestInquiry:
    def test_moves_no_money(self, stripe_api, inquiry):
        assert inquiry.status == "warning_needs_response"
        assert movements(stripe_api, inquiry) == []
        assert event_types(inquiry.id) == ["charge.dispute.created"]

    def test_only_ends(self, stripe_api, inquiry):
        closed = stripe_api.disputes.close(inquiry.id)

        assert closed.status == "warning_closed"
        assert event_types(inquiry.id)[-1] == "charge.dispute.closed"


class TestUpdate:
    @pytest.mark.parametrize(("text", "status"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
    def test_with_a_verdict_gets_it_soon(self, stripe_api, dispute, text, status):
        answered = stripe_api.disputes.update(dispute.id, {"evidence": {"uncategorized_text": text}})
        timers.advance(6)

        assert answered.status == "under_review"
        assert (answered.evidence_details.has_evidence, answered.evidence_details.submission_count) == (True, 1)
        assert stripe_api.disputes.retrieve(dispute.id).status == status
        assert "charge.dispute.closed" in event_types(dispute.id)

    def test_that_wins_brings_the_money_back(self, stripe_api, dispute):
        stripe_api.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})

        timers.advance(6)

        assert movements(stripe_api, dispute) == [(4900, -2000), (-4900, 2000)]
        assert event_types(dispute.id)[-2:] == ["charge.dispute.closed", "charge.dispute.funds_reinstated"]
        assert len(stripe_api.disputes.retrieve(dispute.id).balance_transactions) == 2

    def test_may_hold_the_evidence_back(self, stripe_api, dispute):
        evidence = {"uncategorized_text": "winning_evidence"}

        staged = stripe_api.disputes.update(dispute.id, {"evidence": evidence, "submit": False})
        timers.advance(60)
        unchanged = stripe_api.disputes.retrieve(dispute.id)
        submitted = stripe_api.disputes.update(dispute.id, {"submit": True})

        assert (staged.status, unchanged.status, submitted.status) == (
            "needs_response",
            "needs_response",
            "under_review",
        )

    def test_of_metadata_alone_submits_nothing(self, stripe_api, dispute):
        updated = stripe_api.disputes.update(dispute.id, {"metadata": {"order": "7"}})

        assert (updated.status, updated.metadata["order"]) == ("needs_response", "7")
        assert event_types(dispute.id)[-1] == "charge.dispute.updated"

    def test_refuses_evidence_that_is_too_long(self, stripe_api, dispute):
        evidence = {"uncategorized_text": "x" * 20_001}

        refusal = refusal_of(stripe_api.disputes.update, dispute.id, {"evidence": evidence})

        assert refusal.param == "evidence[uncategorized_text]"


class TestClose:
    def test_gives_up(self, stripe_api, dispute):
        closed = stripe_api.disputes.close(dispute.id)

        assert closed.status == "lost"
        assert movements(stripe_api, dispute) == [(-4900, 2000)]

    def test_is_refused_when_it_is_closed_already(self, stripe_api, dispute):
        stripe_api.disputes.close(dispute.id)

        for call in (stripe_api.disputes.close, lambda id: stripe_api.disputes.update(id, {"submit": True})):
            assert "already closed" in refusal_of(call, dispute.id).user_message

        assert event_types(dispute.id).count("charge.dispute.closed") == 1

    def test_ends_the_wait_for_a_verdict(self, stripe_api, dispute):
        stripe_api.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
        stripe_api.disputes.close(dispute.id)

        timers.advance(60)

        assert stripe_api.disputes.retrieve(dispute.id).status == "lost"
