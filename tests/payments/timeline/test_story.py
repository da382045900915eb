"""Stories in sentences: what the buyer did, what Stripe said, what followed, what staff did and why."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from payments.effects.deliver import deliver_all
from payments.effects.enqueue import EffectRequest, enqueue
from payments.ledger.models import PaymentEvent
from payments.processing.drain import drain
from payments.processing.replay import replay_event
from payments.timeline import Kind, Subject, story
from registrations.services.staff_actions import free_place
from tests.support.factories import make_staff
from tests.support.modules import make_grant, make_learner, make_module
from tests.support.road import NOON, event_of, hear
from tests.support.subscriptions import BEGIN, make_customer, make_plan, make_subscription, paid, refs, tell
from tests.support.subscriptions import told as fact

pytestmark = pytest.mark.django_db
DECLINED, COMPLETED = "payment_intent.payment_failed", "checkout.session.completed"
RENEWAL = BEGIN + timedelta(days=30)
DISPUTED, DECIDED = "charge.dispute.created", "charge.dispute.closed"


def at(minutes):
    return NOON + timedelta(minutes=minutes)


class TestAnOrder:
    def test_that_is_paid_tells_what_the_buyer_did_and_what_followed(self, registration, told):
        hear(event_of(registration, COMPLETED), at=at(1))
        deliver_all(clock=lambda: at(2))

        assert told(registration.order)[:6] == [
            "Buyer: Camille Martin registered for Pottery.",
            "Buyer: Ordered: Pottery, €49.00.",
            "Buyer: Opened the payment page.",
            "Stripe: Checkout was completed. The order is paid. €49.00 received.",
            "E-mail: Sent to camille.martin@example.com.",
            "This site: Is going to take place: Pottery. A place was held for this person.",
        ]

    def test_tells_the_same_in_french(self, registration, told):
        hear(event_of(registration, COMPLETED), at=at(1))

        assert told(registration.order, language="fr")[:4] == [
            "Acheteur: Camille Martin s’est inscrit à Pottery.",
            "Acheteur: Commande : Pottery, 49,00 €.",
            "Acheteur: A ouvert la page de paiement.",
            "Stripe: La page de paiement a été validée. La commande est payée. 49,00 € : paiement reçu.",
        ]

    def test_that_was_declined_says_why_and_then_that_it_was_paid(self, registration, told):
        hear(event_of(registration, DECLINED), at=NOON)
        hear(event_of(registration, COMPLETED, at=at(3)), at=at(30))
        order = registration.order

        lines = [line for line in told(order) if line.startswith("Stripe")]

        assert lines == [
            "Stripe: The payment was declined. The payment failed.",
            "Stripe: Checkout was completed. The order is paid. €49.00 received.",
        ]
        declined, late = [each for each in story(Subject.of(order), at=NOON).moments if each.kind == Kind.STRIPE]
        assert declined.detail == "insufficient_funds"
        assert late.detail.startswith("Learned on ")
        assert late.links[0][1] == order.events.get(type=COMPLETED).stripe_event_id

    def test_that_was_refunded_in_part_names_the_amount_once(self, registration, told):
        hear(event_of(registration, COMPLETED), event_of(registration, "refund.created", at=at(5), amount=500))

        assert "Stripe: A refund was created. Refund of €5.00: succeeded." in told(registration.order)

    def test_whose_money_was_late_asks_staff_for_a_place(self, activity, make_registration, told):
        late = make_registration("Ali Benali")
        hear(event_of(late, "checkout.session.expired"))
        activity.capacity = 1
        activity.save()
        make_registration("Zoé Petit")

        hear(event_of(late, COMPLETED, at=at(60)), at=at(61))

        lines = told(late.order)
        assert (
            "Stripe: The payment page expired. The order has expired, nothing was paid. The place is free again."
            in lines
        )
        assert "Question for staff: Paid without a place." in lines
        assert "This site: Paid, and waits for a place." in lines

    def test_whose_dispute_was_lost_and_won_after_all_tells_both(self, registration, told):
        hear(event_of(registration, COMPLETED), event_of(registration, DISPUTED, at=at(5)))
        hear(event_of(registration, DECIDED, at=at(9), status="lost"), at=at(10))
        hear(event_of(registration, "charge.dispute.funds_reinstated", at=at(20), status="won"), at=at(21))

        lines = [line for line in told(registration.order) if "ispute" in line]

        assert "Dispute of €49.00: lost. The dispute has taken the money." in lines[-2]
        assert "Dispute of €49.00: won. Nothing is disputed any more." in lines[-1]

    def test_tells_what_staff_did_and_why(self, registration):
        free_place(registration=registration, reason="asked by phone", by="ada@example.com", at=at(1))
        registration.order.refresh_from_db()

        [freed, *_rest] = [
            each for each in story(Subject.of(registration.order), at=NOON).moments if each.kind == Kind.STAFF
        ]

        assert (freed.sentence, freed.by, freed.detail) == (
            "The place was freed by hand.", "ada@example.com", "asked by phone",
        )  # fmt: skip

    def test_tells_who_had_an_event_processed_again(self, registration):
        [event] = hear(event_of(registration, COMPLETED))
        replay_event(event=event, by=make_staff(email="ada@example.com"), reason="looked odd", at=at(90))
        drain(at=at(91))

        [replay] = [each for each in story(Subject.of(registration.order), at=NOON).moments if each.kind == Kind.STAFF]

        assert (replay.by, replay.detail) == ("ada@example.com", "looked odd")
        assert replay.told == "Had an event processed again: Checkout was completed. Processed"

    def test_tells_why_a_message_was_not_sent_and_a_refund_not_made(self, registration, told):
        hear(event_of(registration, DECLINED))
        hear(event_of(registration, COMPLETED, at=at(3)), at=at(90))
        about = {"payment": "pi_gone", "amount": 900, "reason": "a bargain", "by": "ada@example.com"}
        with transaction.atomic():
            enqueue([EffectRequest("refund:1", "refund", registration.order_id, about)], at=at(5))
        deliver_all(clock=lambda: at(99))

        lines = told(registration.order)

        assert "E-mail: Not sent: The registration has moved on meanwhile." in lines
        refunds = "A refund of €9.00 was asked for. It was not carried out: The payment no longer exists."
        assert f"Staff: {refunds}" in lines

    @pytest.mark.parametrize(
        ("columns", "words"),
        [
            ({"status": "IGNORED", "ignored_reason": "unmatched"}, "Ignored: unmatched."),
            (
                {"status": "DEAD", "error_kind": "KeyError", "error": "'x'"},
                "Processing it was given up: KeyError: 'x'.",
            ),
            ({"status": "HELD"}, "Held back: events of this type are on hold."),
            ({"status": "RECEIVED"}, "It waits to be processed."),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_says_what_became_of_an_event(self, registration, told, columns, words):
        hear(event_of(registration, COMPLETED), event_of(registration, "payment_intent.succeeded"))
        PaymentEvent.objects.filter(type="payment_intent.succeeded").update(**columns)

        assert f"Stripe: The payment succeeded. {words}" in told(registration.order)


class TestASubscription:
    def test_whose_renewal_failed_tells_it(self, db, told):
        make_plan("gold", price="price_monthly")
        row = make_subscription(customer=make_customer(email="ada@example.com"))
        tell(fact(), paid(refs=refs(invoice="in_1", payment_intent="pi_1", charge="ch_1")))
        tell(fact(status="past_due", occurred_at=RENEWAL))

        lines = told(row)

        assert any("The subscription is active." in line and "€4.00 received." in line for line in lines)
        assert any(line.endswith("The payment is overdue.") for line in lines)


class TestAPerson:
    def test_is_told_what_staff_gave_them_but_the_bank_is_not(self, db):
        learner = make_learner()
        make_grant(learner, make_module(title="Glazing"))

        moments = story(Subject([], user=learner), at=NOON).moments

        assert [each.sentence for each in moments if each.kind == Kind.STAFF] == ["Gave access to Glazing."]
        assert story(Subject([]), at=NOON).moments == []


class TestALongStory:
    def test_is_cut_to_its_newest_moments_in_as_many_queries(self, registration):
        hear(event_of(registration, COMPLETED), event_of(registration, "payment_intent.succeeded"))
        subject = Subject.of(registration.order)

        with CaptureQueriesContext(connection) as queries:
            told = story(subject, at=NOON, limit=3)

        assert told.is_cut
        assert len(told.moments) == 3
        assert len(queries) <= 5
