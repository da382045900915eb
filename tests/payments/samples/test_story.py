"""Made-up events tell one coherent story, and vary where they are asked to."""

import dataclasses
from datetime import timedelta

import pytest

from payments.facts import DisputeFact, OrderFact, PaymentFact
from payments.names import demo_id
from payments.samples.events import sample_event
from payments.samples.story import OLD_SHAPE, is_made_up
from payments.statuses import OrderStatus
from tests.support.sample_orders import BEGAN, LATER, PAYMENTS, SUBJECT, fact_of, made, object_of


class TestStory:
    def test_has_the_same_ids_in_every_event(self):
        all_refs = [fact_of(made(event_type)).refs for event_type in PAYMENTS | {"refund.created"}]

        assert len({refs.payment_intent for refs in all_refs}) == 1
        assert len({refs.charge for refs in all_refs if refs.charge}) == 1
        assert len({refs.session for refs in all_refs if refs.session}) == 1

    def test_has_other_ids_for_another_attempt(self):
        again = dataclasses.replace(SUBJECT, attempt=3)

        first, second = (fact_of(made("payment_intent.succeeded", subject=each)) for each in (SUBJECT, again))

        assert first.refs.payment_intent != second.refs.payment_intent

    def test_uses_the_ids_that_are_known(self):
        known = dataclasses.replace(SUBJECT, session="cs_test_known", payment_intent="pi_known", charge="ch_known")

        refs = fact_of(made("checkout.session.completed", subject=known)).refs
        refund = fact_of(made("refund.created", subject=known)).refs

        assert (refs.session, refs.payment_intent) == ("cs_test_known", "pi_known")
        assert (refund.payment_intent, refund.charge) == ("pi_known", "ch_known")

    def test_gives_every_event_an_id_of_its_own(self):
        assert made("refund.created")["id"] != made("refund.created")["id"]

    def test_takes_the_event_id_that_it_is_given(self):
        event = sample_event("refund.created", subject=SUBJECT, shape=OLD_SHAPE, at=LATER, event_id="evt_mine")

        assert event["id"] == "evt_mine"

    def test_was_paid_soon_after_the_session_began(self):
        paid = fact_of(made("charge.refunded"))

        assert BEGAN < paid.occurred_at < BEGAN + timedelta(minutes=2)

    def test_has_nothing_that_is_later_than_the_event(self):
        hasty = dataclasses.replace(SUBJECT, began_at=LATER)

        assert fact_of(made("charge.refunded", subject=hasty)).occurred_at == LATER

    def test_shares_nothing_between_two_events(self):
        first, second = made("charge.refunded"), made("charge.refunded")

        object_of(first)["outcome"]["risk_score"] = 99

        assert object_of(second)["outcome"]["risk_score"] != 99


class TestVariation:
    @pytest.mark.parametrize(
        ("decline_code", "code"), [("lost_card", "card_declined"), ("expired_card", "expired_card")]
    )
    def test_declines_for_another_reason(self, decline_code, code):
        event = made("payment_intent.payment_failed", decline_code=decline_code)
        fact = fact_of(event)

        assert isinstance(fact, OrderFact)
        assert fact.failure.code == decline_code
        assert fact.failure.message
        assert object_of(event)["last_payment_error"]["code"] == code

    def test_declines_another_charge_the_second_time(self):
        charges = {
            fact_of(made("payment_intent.payment_failed", number=1)).refs.charge,
            fact_of(made("payment_intent.payment_failed", number=2)).refs.charge,
            fact_of(made("payment_intent.succeeded")).refs.charge,
        }

        assert len(charges) == 3

    def test_refunds_a_part(self):
        event = made("charge.refunded", amount=1000)
        fact = fact_of(event)

        assert isinstance(fact, PaymentFact)
        assert (fact.received, fact.refunded) == (4900, 1000)
        assert object_of(event)["refunded"] is False

    def test_pays_another_amount_than_asked(self):
        fact = fact_of(made("checkout.session.completed", amount=100))

        assert isinstance(fact, PaymentFact)
        assert fact.received == 100

    def test_completes_a_session_with_a_delayed_method(self):
        fact = fact_of(made("checkout.session.completed", status="unpaid"))

        assert isinstance(fact, OrderFact)
        assert fact.status == OrderStatus.PROCESSING

    def test_needs_no_payment_for_what_costs_nothing(self):
        free = dataclasses.replace(SUBJECT, amount=0)

        fact = fact_of(made("checkout.session.completed", subject=free))

        assert isinstance(fact, OrderFact)
        assert (fact.status, fact.refs.payment_intent) == (OrderStatus.PAID, "")

    def test_closes_a_dispute_as_won(self):
        fact = fact_of(made("charge.dispute.closed", status="won"))

        assert isinstance(fact, DisputeFact)
        assert (fact.status, fact.due_by) == ("won", None)

    def test_opens_a_dispute_that_can_be_answered(self):
        fact = fact_of(made("charge.dispute.created"))

        assert isinstance(fact, DisputeFact)
        assert fact.due_by
        assert fact.due_by > LATER


class TestIsMadeUp:
    def test_knows_every_id_of_demo_data_whatever_the_order(self, db):
        assert is_made_up(demo_id("re", "12x1"), order_number="O-000012")
        assert not is_made_up("re_3Nabc", order_number="O-000012")
