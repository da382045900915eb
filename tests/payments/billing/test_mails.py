from datetime import UTC, datetime

import pytest
from django.core import mail as post

from payments.billing.mails import DISPUTE_MOVED_ON, REFUND_NOT_FAILED, SUBJECT_GONE
from payments.billing.models import Dispute, Payment, Refund
from payments.effects.mail import NO_ADDRESS
from payments.statuses import DISPUTE_PHASES, DisputePhase, EffectStatus
from tests.support.factories import NOON, OrderFactory
from tests.support.mails import deliver, english_in, html_of, read, sent
from tests.support.subscriptions import make_customer, make_plan, make_subscription

pytestmark = pytest.mark.django_db

DEADLINE = datetime(2026, 7, 14, 16, 30, tzinfo=UTC)


@pytest.fixture(params=["en", "fr"])
def language(request, settings):
    settings.LANGUAGE_CODE = request.param
    return request.param


@pytest.fixture
def order():
    return OrderFactory(label="Atelier poterie", email="ines@example.com")


@pytest.fixture
def subscription():
    """Ada’s, that no order of ours began."""
    customer = make_customer(email="ada@example.com")
    return make_subscription(customer=customer, plan=make_plan("gold"))


@pytest.fixture
def make_dispute(order):
    def make(status="needs_response", **fields):
        given = {"order": order, "amount": 4900, "reason": "fraudulent", "due_by": DEADLINE, **fields}
        return Dispute.objects.create(
            stripe_id="du_1", payment="pi_1", currency="eur", status=status, status_at=NOON,
            phase=DISPUTE_PHASES.get(status, DisputePhase.OPEN), **given,
        )  # fmt: skip

    return make


@pytest.fixture
def make_refund(order):
    def make(status="failed", **fields):
        given = {"order": order, "failure_reason": "expired_or_canceled_card", **fields}
        return Refund.objects.create(
            stripe_id="re_1", payment="pi_1", amount=1200, currency="eur", status=status, status_at=NOON, **given
        )

    return make


def opened():
    return deliver("alert.dispute:du_1", kind="alert.dispute", dispute="du_1")


def due():
    return deliver("alert.dispute_due:du_1", kind="alert.dispute_due", dispute="du_1")


def closed(how):
    return deliver(f"alert.dispute_closed:du_1:{how}", kind="alert.dispute_closed", dispute="du_1")


def failed():
    return deliver("alert.refund_failed:re_1", kind="alert.refund_failed", refund="re_1")


class TestDisputeOpened:
    def test_says_how_much_why_until_when_and_what_to_do(self, make_dispute, order, language):
        make_dispute()

        assert opened().status == EffectStatus.DONE

        words = {
            "en": ("49.00 EUR", "owner did not make this payment", "July 14, 2026, 6:30 p.m.", "hand in the evidence"),
            "fr": (
                "49,00 EUR",
                "titulaire de la carte n’a pas fait ce paiement",
                "14 juillet 2026 18:30",
                "déposez les preuves",
            ),
        }[language]
        for text in read(sent()):
            for fact in (*words, order.number, "Atelier poterie", "ines@example.com", "du_1"):
                assert fact in text
        assert order.number in sent().subject

    def test_goes_to_every_address_for_alerts(self, make_dispute, settings):
        settings.STRIPE_ALERT_EMAIL = ["a@example.com", "b@example.com"]
        make_dispute()

        opened()

        assert sent().to == ["a@example.com", "b@example.com"]

    def test_is_skipped_where_no_address_is_configured(self, make_dispute, settings):
        settings.STRIPE_ALERT_EMAIL = []
        make_dispute()

        effect = opened()

        assert (effect.status, effect.outcome) == (EffectStatus.SKIPPED, NO_ADDRESS)

    def test_is_skipped_once_the_dispute_is_decided(self, make_dispute):
        make_dispute("won")

        assert opened().outcome == DISPUTE_MOVED_ON.reason
        assert post.outbox == []

    def test_is_skipped_when_the_dispute_is_gone(self):
        assert opened().outcome == SUBJECT_GONE.reason

    def test_says_so_when_stripe_names_no_deadline(self, make_dispute, settings):
        settings.LANGUAGE_CODE = "en"
        make_dispute("warning_needs_response", due_by=None)

        opened()

        for text in read(sent()):
            assert "names no deadline" in text
            assert "Answer by" not in text

    def test_shows_a_reason_that_nobody_has_translated_as_stripe_says_it(self, make_dispute):
        make_dispute(reason="noncompliant")

        opened()

        assert "noncompliant" in sent().body

    def test_shows_a_sentence_of_the_buyer_as_text(self, make_dispute, order):
        order.label = "<script>alert(1)</script>"
        order.save()
        make_dispute()

        opened()

        assert "<script>" not in html_of(sent())
        assert "<script>" in sent().body


class TestDisputeDue:
    def test_says_until_when_and_what_to_do(self, make_dispute, order, settings):
        settings.LANGUAGE_CODE = "en"
        make_dispute()

        due()

        assert sent().subject == f"Answer this dispute soon: 49.00\N{NO-BREAK SPACE}EUR, order {order.number}"
        for text in read(sent()):
            for fact in ("July 14, 2026, 6:30 p.m.", "evidence as a download", "du_1"):
                assert fact in text

    def test_is_skipped_once_it_has_been_answered(self, make_dispute):
        make_dispute("under_review")

        assert due().outcome == DISPUTE_MOVED_ON.reason

    def test_is_skipped_when_the_dispute_is_gone(self):
        assert due().outcome == SUBJECT_GONE.reason


class TestOfASubscription:
    """The same alerts, about money of a subscription: no order has a number to quote."""

    @pytest.fixture(autouse=True)
    def _in_english(self, settings):
        settings.LANGUAGE_CODE = "en"

    def told(self):
        message = sent()
        for text in read(message):
            for fact in ("sub_1", "Gold", "ada@example.com"):
                assert fact in text
            assert "O-" not in text
        assert "subscription sub_1" in message.subject
        return " ".join(message.body.split())

    @pytest.mark.parametrize(
        ("status", "alert", "sentence"),
        [
            ("needs_response", lambda: opened(), "disputes a payment of subscription sub_1"),
            ("needs_response", lambda: due(), "Nobody has answered"),
            ("lost", lambda: closed("lost"), "goes on unless you end it"),
            ("won", lambda: closed("closed"), "is won"),
            ("warning_closed", lambda: closed("closed"), "without loss"),
        ],
    )
    def test_tells_of_a_dispute(self, make_dispute, subscription, status, alert, sentence):
        make_dispute(status, order=None, subscription=subscription)

        alert()

        assert sentence in self.told()

    def test_tells_of_a_refund_that_failed(self, make_refund, subscription):
        make_refund(order=None, subscription=subscription)

        failed()

        assert "A refund of 12.00 EUR for subscription sub_1 did not reach the customer" in self.told()

    def test_tells_of_one_whose_customer_is_unknown(self, make_dispute):
        make_dispute(order=None, subscription=make_subscription("sub_2"))

        opened()

        assert "sub_2" in sent().body
        assert "Customer" not in sent().body


class TestDisputeClosed:
    @pytest.mark.parametrize(
        ("status", "how", "english", "french"),
        [
            ("lost", "lost", ("Dispute lost", "the money is gone"), ("Litige perdu", "l’argent est parti")),
            ("won", "closed", ("Dispute won", "The money stays with us"), ("Litige gagné", "L’argent nous reste")),
            (
                "warning_closed",
                "closed",
                ("without loss", "money stays with us"),
                ("sans perte", "L’argent nous reste"),
            ),
        ],
    )
    def test_says_how_it_ended(self, make_dispute, order, language, status, how, english, french):
        make_dispute(status)

        closed(how)

        subject, sentence = {"en": english, "fr": french}[language]
        assert subject in sent().subject
        for text in read(sent()):
            assert sentence in text
            assert order.number in text

    @pytest.mark.parametrize(
        ("beside", "english", "french"),
        [
            ({}, "What was bought is withdrawn.", "Ce qui avait été acheté est retiré."),
            ({"dispute_state": ""}, "Another payment pays the order", "Un autre paiement règle la commande"),
        ],
    )
    def test_says_of_a_loss_what_it_means_for_the_order(self, make_dispute, order, language, beside, english, french):
        type(order).objects.update(**{"dispute_state": "LOST", **beside})
        Payment.objects.create(key="pi_2", order=order, currency="eur", received=4900)
        make_dispute("lost")

        closed("lost")

        assert {"en": english, "fr": french}[language] in read(sent())[0]

    def test_does_not_tell_of_a_loss_that_a_late_win_has_undone(self, make_dispute):
        make_dispute("won")

        assert closed("lost").outcome == DISPUTE_MOVED_ON.reason
        assert closed("closed").status == EffectStatus.DONE


class TestDisputeOfARefundedPayment:
    @pytest.fixture(autouse=True)
    def _refunded(self, order):
        Payment.objects.create(key="pi_1", order=order, currency="eur", received=4900, refunded=4900)

    def test_says_what_to_hand_in_instead_of_asking_for_an_answer(self, make_dispute, settings):
        settings.LANGUAGE_CODE = "en"
        make_dispute()

        opened()

        for text in read(sent()):
            assert "All of this payment was refunded before." in text
            assert "hand in the refund as evidence" in text
            assert "without an answer the money is lost" not in text
            assert "stays in use" not in text

    def test_says_of_a_win_that_the_money_went_back(self, make_dispute, settings):
        settings.LANGUAGE_CODE = "en"
        make_dispute("won")

        closed("closed")

        assert "money stays with us" not in read(sent())[0]

    def test_asks_nobody_to_give_back_again_what_another_refund_gave(self, make_refund):
        make_refund()

        assert failed().outcome == "The money went back by another refund meanwhile."


class TestRefundFailed:
    def test_says_how_much_for_which_order_and_what_to_do(self, make_refund, order, language):
        make_refund()

        failed()

        words = {"en": ("12.00 EUR", "bank transfer"), "fr": ("12,00 EUR", "virement")}[language]
        for text in read(sent()):
            for fact in (*words, order.number, "re_1", "expired_or_canceled_card"):
                assert fact in text

    def test_is_skipped_when_the_refund_has_not_failed(self, make_refund):
        make_refund("succeeded")

        assert failed().outcome == REFUND_NOT_FAILED.reason

    def test_is_skipped_when_the_refund_is_gone(self):
        assert failed().outcome == SUBJECT_GONE.reason


class TestFrench:
    def test_is_french_throughout(self, make_dispute, make_refund, settings):
        settings.LANGUAGE_CODE = "fr"
        settings.STRIPE_ALERT_EMAIL = ["a@example.com"]
        make_refund()
        dispute = make_dispute(reason="product_not_received")

        opened()
        failed()
        for status, how in (("lost", "lost"), ("won", "closed"), ("prevented", "closed")):
            Dispute.objects.filter(pk=dispute.pk).update(status=status, phase=DISPUTE_PHASES[status])
            deliver(f"alert.dispute_closed:du_1{status}:{how}", kind="alert.dispute_closed", dispute="du_1")

        assert len(post.outbox) == 5
        said = " ".join(text for message in post.outbox for text in (message.subject, *read(message)))
        assert english_in(said) == []
