from datetime import UTC, datetime

import pytest
from django.core import mail as post

from payments.billing.alerts import DISPUTE_MOVED_ON, REFUND_MOVED_ON, REFUND_NOT_FAILED, WARNING_SETTLED
from payments.billing.models import Dispute, Payment, Refund
from payments.effects.deliver import SUBJECT_GONE
from payments.effects.mail import NO_ADDRESS
from payments.statuses import DISPUTE_PHASES, EffectStatus
from tests.support.factories import NOON, OrderFactory
from tests.support.mails import deliver, english_in, html_of, leads_to, read, sent
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
            phase=DISPUTE_PHASES[status], **given,
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


def warned():
    return deliver("alert.fraud_warning:pi_1", kind="alert.fraud_warning", payment="pi_1")


class TestFraudWarned:
    @pytest.fixture
    def payment(self, order):
        return Payment.objects.create(
            key="pi_1", order=order, received=4900, currency="eur", paid_at=NOON, fraud_warning="issfr_1",
            fraud_type="made_with_stolen_card", fraud_told_at=NOON, is_fraud_actionable=True,
        )  # fmt: skip

    def test_says_how_much_of_what_why_and_what_to_do(self, payment, order, language):
        assert warned().status == EffectStatus.DONE

        words = {
            "en": ("€49.00", "the card was stolen", "refund the money, or dismiss"),
            "fr": ("49,00 €", "la carte a été volée", "remboursez l’argent, ou classez"),
        }[language]
        for text in read(sent()):
            for fact in (*words, order.number, "Atelier poterie", "ines@example.com", "pi_1", "issfr_1"):
                assert fact in text
        assert order.number in sent().subject

    def test_is_in_french_as_a_whole(self, payment, settings):
        settings.LANGUAGE_CODE = "fr"

        warned()

        assert [english_in(text) for text in read(sent())] == [[], []]

    def test_is_skipped_when_the_money_has_gone_back(self, payment):
        Payment.objects.update(refunded=4900)

        assert warned().outcome == WARNING_SETTLED.reason

    def test_is_skipped_when_it_is_disputed_already(self, payment, make_dispute):
        make_dispute()

        assert warned().outcome == WARNING_SETTLED.reason


class TestDisputeOpened:
    def test_says_how_much_why_until_when_and_what_to_do(self, make_dispute, order, language):
        make_dispute()

        assert opened().status == EffectStatus.DONE

        words = {
            "en": ("€49.00", "owner did not make this payment", "July 14, 2026, 6:30 p.m.", "hand in the evidence"),
            "fr": (
                "49,00 €",
                "titulaire de la carte n’a pas fait ce paiement",
                "14 juillet 2026 18:30",
                "déposez les preuves",
            ),
        }[language]
        for text in read(sent()):
            for fact in (*words, order.number, "Atelier poterie", "ines@example.com", "du_1"):
                assert fact in text
        assert order.number in sent().subject

    def test_leads_to_the_page_of_the_dispute(self, make_dispute):
        make_dispute()

        opened()

        assert leads_to(sent(), f"/admin/payments/dispute/{Dispute.objects.get().pk}/change/")

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


@pytest.fixture
def paid_by(order):
    """The disputed payment, as it stands: €49.00 received."""

    def make(**fields):
        return Payment.objects.create(order=order, key="pi_1", currency="eur", received=4900, paid_at=NOON, **fields)

    return make


class TestInquiry:
    """The bank only asks: its own words, in every mail."""

    @pytest.fixture(autouse=True)
    def _in_english(self, settings):
        settings.LANGUAGE_CODE = "en"

    def test_is_no_dispute_yet(self, make_dispute, order):
        make_dispute("warning_needs_response")

        opened()

        assert sent().subject == f"The bank asks: €49.00, order {order.number}"
        for text in read(sent()):
            for fact in ("No money has moved", "July 14, 2026, 6:30 p.m.", "refund the payment"):
                assert fact in text
            assert "disputes" not in text

    def test_reminds_of_its_deadline(self, make_dispute, order):
        make_dispute("warning_needs_response")

        due()

        assert sent().subject == f"Answer the bank soon: €49.00, order {order.number}"

    def test_is_not_told_once_it_has_become_a_chargeback(self, make_dispute):
        make_dispute("needs_response")

        told = deliver("alert.dispute:du_1:inquiry", kind="alert.dispute", dispute="du_1")

        assert told.outcome == DISPUTE_MOVED_ON.reason

    def test_whose_end_a_chargeback_has_followed_is_not_told_as_over(self, make_dispute):
        make_dispute("needs_response")

        assert closed("inquiry_closed").outcome == DISPUTE_MOVED_ON.reason

    def test_that_a_refund_has_settled_says_so(self, make_dispute, paid_by):
        paid_by(refunded=4900)
        make_dispute("warning_closed")

        closed("inquiry_closed")

        assert "the payment has been refunded" in " ".join(sent().body.split())
        assert "stays with us" not in sent().body


class TestBesideOtherThings:
    """Before staff are told what to do it is asked what else has become of the money."""

    @pytest.fixture(autouse=True)
    def _in_english(self, settings):
        settings.LANGUAGE_CODE = "en"

    def told(self):
        first, second = read(sent())
        assert " ".join(first.split())
        return " ".join(second.split())

    def test_of_a_part_it_names_the_whole(self, make_dispute, paid_by):
        paid_by()
        make_dispute(amount=900)

        opened()

        assert "a part of the money only: €9.00 of €49.00" in self.told()

    def test_a_part_that_is_lost_withdraws_nothing(self, make_dispute, paid_by):
        paid_by(lost=900)
        make_dispute("lost", amount=900)

        closed("lost")

        assert "stays in use until you decide" in self.told()
        assert "withdrawn" not in self.told()

    def test_of_a_second_payment_nothing_is_withdrawn(self, make_dispute, paid_by):
        paid_by(lost=4900)
        make_dispute("lost")

        closed("lost")

        assert "Nothing else has changed" in self.told()

    def test_the_whole_that_is_lost_is_withdrawn(self, make_dispute, paid_by, order):
        order.dispute_state = "LOST"
        order.save()
        paid_by(lost=4900)
        make_dispute("lost")

        closed("lost")

        assert "what was bought is withdrawn" in self.told()

    def test_what_was_refunded_is_the_answer(self, make_dispute, paid_by):
        paid_by(refunded=4900)
        make_dispute()

        opened()

        assert "hand in the refund" in self.told()
        assert "Given back already: €49.00" in self.told()

    def test_a_refund_that_a_dispute_stopped_is_not_to_be_made_otherwise(self, make_dispute, make_refund):
        make_refund(failure_reason="charge_for_pending_refund_disputed")
        make_dispute()

        failed()

        assert "do not give it back another way" in self.told()
        assert "bank transfer" not in self.told()


class TestDisputeDue:
    def test_is_skipped_where_another_deadline_holds(self, make_dispute):
        make_dispute()

        told = deliver("alert.dispute_due:du_1:2026-07-10", kind="alert.dispute_due", dispute="du_1")

        assert told.outcome == DISPUTE_MOVED_ON.reason

    def test_says_until_when_and_what_to_do(self, make_dispute, order, settings):
        settings.LANGUAGE_CODE = "en"
        make_dispute()

        due()

        assert sent().subject == f"Answer this dispute soon: €49.00, order {order.number}"
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

        assert "A refund of €12.00 for subscription sub_1 did not reach the customer" in self.told()

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
            ("won", "closed", ("Dispute won", "the money stays with us"), ("Litige gagné", "l’argent nous reste")),
            (
                "warning_closed",
                "closed",
                ("without loss", "money stays with us"),
                ("sans perte", "l’argent nous reste"),
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
            assert "All of this payment has been refunded: hand in the refund" in text
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

        words = {
            "en": ("€12.00", "bank transfer", "the card has expired or was canceled"),
            "fr": ("12,00 €", "virement", "la carte a expiré ou a été annulée"),
        }[language]
        for text in read(sent()):
            for fact in (*words, order.number, "re_1"):
                assert fact in text

    def test_leads_to_the_page_of_the_refund(self, make_refund):
        make_refund()

        failed()

        assert leads_to(sent(), f"/admin/payments/refund/{Refund.objects.get().pk}/change/")

    def test_tells_of_one_that_was_canceled(self, make_refund):
        make_refund("canceled")

        assert failed().status == EffectStatus.DONE

    def test_is_skipped_when_the_refund_has_not_failed(self, make_refund):
        make_refund("succeeded")

        assert failed().outcome == REFUND_NOT_FAILED.reason

    def test_is_skipped_when_the_refund_is_gone(self):
        assert failed().outcome == SUBJECT_GONE.reason


class TestRefundWaits:
    def waits(self):
        return deliver("alert.refund_waits:re_1", kind="alert.refund_waits", refund="re_1")

    def test_says_that_our_balance_does_not_suffice(self, make_refund, order, language):
        make_refund("pending", pending_reason="insufficient_funds", failure_reason="")

        self.waits()

        words = {"en": ("€12.00", "balance does not suffice"), "fr": ("12,00 €", "solde Stripe ne suffit pas")}
        for text in read(sent()):
            for fact in (*words[language], order.number, "re_1"):
                assert fact in text

    def test_is_skipped_once_it_is_on_its_way(self, make_refund):
        make_refund("succeeded")

        assert self.waits().outcome == REFUND_MOVED_ON.reason

    def test_is_skipped_when_the_refund_is_gone(self):
        assert self.waits().outcome == SUBJECT_GONE.reason


class TestFrench:
    def test_is_french_throughout(self, make_dispute, make_refund, settings):
        settings.LANGUAGE_CODE = "fr"
        settings.STRIPE_ALERT_EMAIL = ["a@example.com"]
        make_refund()
        dispute = make_dispute(reason="product_not_received")

        opened()
        failed()
        ends = (("lost", "lost"), ("won", "closed"), ("prevented", "closed"), ("warning_closed", "inquiry_closed"))
        for status, how in ends:
            Dispute.objects.filter(pk=dispute.pk).update(status=status, phase=DISPUTE_PHASES[status])
            deliver(f"alert.dispute_closed:du_1{status}:{how}", kind="alert.dispute_closed", dispute="du_1")

        assert len(post.outbox) == 6
        said = " ".join(text for message in post.outbox for text in (message.subject, *read(message)))
        assert english_in(said) == []
