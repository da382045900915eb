"""What the events of a charge say."""

from payments.facts import NoFacts, PaymentFact, RefundFact
from payments.stripe_api.snapshots import StripeCharge
from tests.support.stripe_objects import MORNING, NOON, charge_object, refund_object, told_by

REFUNDED = "charge.refunded"
ABOUT = StripeCharge.read(charge_object()).refs


class TestRefunded:
    def test_says_that_it_was_paid_when_it_was_made_and_what_went_back(self):
        facts = told_by(REFUNDED, charge_object())

        assert facts == [PaymentFact(ABOUT, received=4900, currency="eur", occurred_at=MORNING, refunded=1000)]

    def test_falls_back_on_the_time_of_the_event(self):
        [fact] = told_by(REFUNDED, charge_object(created=None))

        assert isinstance(fact, PaymentFact)
        assert fact.occurred_at == NOON

    def test_does_not_date_by_its_beginning_what_took_days_to_come(self):
        debit = charge_object(payment_method_details={"type": "sepa_debit", "sepa_debit": {}})

        [fact] = told_by(REFUNDED, debit)

        assert isinstance(fact, PaymentFact)
        assert fact.occurred_at == NOON

    def test_tells_of_each_refund_that_an_old_version_includes(self):
        rows = [
            refund_object(),
            refund_object(id="re_2", status="failed", failure_reason="lost_or_stolen_card"),
        ]

        paid, first, second = told_by(REFUNDED, charge_object(refunds={"data": rows}, invoice=None))

        assert isinstance(paid, PaymentFact)
        assert isinstance(first, RefundFact)
        assert isinstance(second, RefundFact)
        assert (first.refund, first.amount, first.status, first.occurred_at) == (
            "re_1",
            1000,
            "succeeded",
            NOON,
        )
        assert (second.status, second.failure_reason) == ("failed", "lost_or_stolen_card")

    def test_names_the_same_thing_in_all_its_facts(self):
        foreign = refund_object(charge="ch_other", payment_intent=None, metadata={"orderId": "x"})

        facts = told_by(REFUNDED, charge_object(refunds={"data": [foreign]}))

        assert {fact.refs for fact in facts if not isinstance(fact, NoFacts)} == {ABOUT}

    def test_does_not_count_what_was_held_and_never_taken(self):
        [fact] = told_by(REFUNDED, charge_object(amount=4900, amount_captured=3000, amount_refunded=2900))

        assert isinstance(fact, PaymentFact)
        assert (fact.received, fact.refunded) == (3000, 1000)

    def test_says_nothing_of_a_hold_that_was_released(self):
        [nothing] = told_by(REFUNDED, charge_object(captured=False, amount_captured=0, amount_refunded=4900))

        assert isinstance(nothing, NoFacts)
        assert "no money went back" in nothing.reason

    def test_reads_the_money_of_an_invoice_like_any_other(self):
        [fact] = told_by(REFUNDED, charge_object(invoice="in_1", metadata={}))

        assert isinstance(fact, PaymentFact)
        assert fact.refs.our_references() == ()
