"""What a buyer is told when money moves after the payment, by the events that tell of it."""

import re
from datetime import timedelta

import pytest
from django.core import mail as post
from django.core.mail import EmailMultiAlternatives

from payments.billing.models import Payment
from payments.effects.deliver import deliver_all
from payments.effects.models import Effect
from registrations.models import Registration
from tests.support.mails import english_in, read
from tests.support.road import NOON, event_of, hear

pytestmark = pytest.mark.django_db
COMPLETED, REFUND, DISPUTE = "checkout.session.completed", "refund.created", "charge.dispute.created"
LATER = NOON + timedelta(hours=2)


@pytest.fixture
def paid(registration) -> Registration:
    hear(event_of(registration, COMPLETED))
    Registration.objects.update(language="en")
    _post()
    return registration


def _post() -> list[str]:
    """Deliver all that waits; the subjects of what went to the buyer since the last time."""
    post.outbox.clear()
    deliver_all(clock=lambda: LATER)
    return [str(message.subject) for message in post.outbox if "staff@" not in str(message.to)]


def _texts(subject: str) -> list[str]:
    [message] = [each for each in post.outbox if subject in str(each.subject)]
    assert isinstance(message, EmailMultiAlternatives)
    return read(message)


class TestRefundedInPart:
    def test_is_told_with_the_amounts(self, paid):
        hear(event_of(paid, REFUND, amount=900))

        assert _post() == ["A part of your payment was refunded: Pottery"]
        for text in _texts("A part of"):
            for words in ("9.00", "49.00", "What you bought stays as it is", paid.order.number):
                assert words in text

    def test_says_whose_place_it_is_and_when(self, paid):
        hear(event_of(paid, REFUND, amount=900))
        _post()

        for text in _texts("A part of"):
            for words in ("Hello Camille Martin,", "Activity", "Wednesday, April 1, 2026 at 2 p.m."):
                assert words in text

    def test_is_told_once_whichever_events_tell_of_it(self, paid):
        hear(event_of(paid, REFUND, amount=900), event_of(paid, "charge.refunded", amount=900))
        hear(event_of(paid, "refund.updated", amount=900))

        assert len(_post()) == 1

    def test_is_told_again_of_the_next_part(self, paid):
        hear(event_of(paid, REFUND, amount=900))
        _post()
        hear(event_of(paid, REFUND, amount=1100, number=2))

        assert _post() == ["A part of your payment was refunded: Pottery"]
        assert "20.00" in _texts("A part of")[0]

    def test_is_not_told_beside_the_mail_that_all_went_back(self, paid):
        hear(event_of(paid, REFUND, amount=900))
        hear(event_of(paid, REFUND, amount=4000, number=2))

        assert _post() == ["Your refund: Pottery"]

    def test_is_french_for_who_reads_french(self, paid):
        Registration.objects.update(language="fr")
        hear(event_of(paid, REFUND, amount=900))

        assert _post() == [
            "Une partie de votre paiement a été remboursée : Pottery".replace(" :", "\N{NO-BREAK SPACE}:")
        ]
        assert english_in(re.sub(r"http\S+", "", " ".join(_texts("Une partie")))) == []


class TestRefundFailed:
    def test_is_told_to_the_buyer(self, paid):
        hear(event_of(paid, REFUND, amount=900))
        _post()
        hear(event_of(paid, "refund.failed", amount=900, at=NOON + timedelta(minutes=1)))

        assert _post() == ["Your refund did not arrive: Pottery"]
        for text in _texts("did not arrive"):
            assert "9.00" in text
            assert "We still owe you this money" in text

    def test_is_not_told_where_another_one_has_brought_the_money_back(self, paid):
        hear(event_of(paid, REFUND, amount=900))
        _post()
        hear(event_of(paid, "refund.failed", amount=900, at=NOON + timedelta(minutes=1)))
        hear(event_of(paid, REFUND, amount=4900, number=2, at=NOON + timedelta(minutes=2)))

        assert _post() == ["Your refund: Pottery"]


class TestPaymentTakenBack:
    def test_is_told_when_the_bank_has_returned_a_debit(self, paid):
        hear(event_of(paid, DISPUTE, status="lost"))

        assert _post() == ["Your bank has returned your payment: Pottery"]
        for text in _texts("has returned"):
            assert "49.00" in text
            assert "With this, what you bought has ended." in text

    def test_is_not_told_while_a_dispute_is_open(self, paid):
        hear(event_of(paid, DISPUTE))

        assert _post() == []

    def test_ends_nothing_where_another_payment_pays(self, paid):
        hear(event_of(paid, COMPLETED, subject={"session": "cs_test_other", "payment_intent": "pi_other"}))
        Payment.objects.filter(key="pi_other").update(session="")
        hear(event_of(paid, DISPUTE, status="lost"))

        _post()

        ended = paid.order.__class__.objects.get().dispute_state == "LOST"
        assert ("what you bought has ended" in _texts("has returned")[0]) == ended

    def test_is_skipped_when_it_was_won_after_all(self, paid):
        hear(event_of(paid, DISPUTE, status="lost"))
        hear(event_of(paid, "charge.dispute.closed", status="won", at=NOON + timedelta(minutes=1)))

        assert _post() == []
        assert Effect.objects.get(kind="order.payment_taken_back").outcome == "The dispute has moved on meanwhile."
