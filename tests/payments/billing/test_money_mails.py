"""A subscriber hears of money that moves after the payment, once each; the end of an access has a mail of its own."""

from datetime import timedelta

import pytest
from django.core import mail as post
from django.core.mail import EmailMultiAlternatives

from payments.billing import money_mails
from payments.effects.deliver import deliver_due
from payments.effects.models import Effect
from payments.facts import DisputeFact, ObjectRefs, PaymentFact, RefundFact
from tests.support.mails import deliver, english_in, read
from tests.support.members import make_member
from tests.support.subscriptions import BEGIN, END, NOON, make_subscription, paid, refs, tell, told

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
KINDS = ("refunded", "refund_failed", "payment_taken_back")


@pytest.fixture(params=["en", "fr"])
def language(request):
    return request.param


@pytest.fixture
def subscriber(request):
    """Somebody who has paid two months: in_1 with pi_1, and in_2 with pi_2, which pays the running period."""
    person = make_member(stripe_id="sub_other").customer
    row = make_subscription()
    row.customer = person
    row.save()
    person.user.language = request.getfixturevalue("language") if "language" in request.fixturenames else "en"
    person.user.save()
    for month in (1, 2):
        names = {"invoice": f"in_{month}", "payment_intent": f"pi_{month}", "charge": f"ch_{month}"}
        start, end = (BEGIN, END) if month == 2 else (BEGIN - 30 * DAY, BEGIN)
        tell(told(), paid(refs=refs(**names), paid_at=start, period_start=start, period_end=end))
    return row


def refund(amount, status="succeeded", *, intent="pi_2", at=NOON, name="re_1"):
    tell(RefundFact(ObjectRefs(payment_intent=intent), name, amount, "eur", status, at))


def dispute(amount, status="lost", *, intent="pi_2", at=NOON):
    tell(DisputeFact(ObjectRefs(payment_intent=intent), "du_1", amount, "eur", status, at))


def told_to_buyer():
    """The texts of the mails to the subscriber about money."""
    deliver_due(at=NOON + DAY, limit=50)
    theirs = [
        each for each in post.outbox if isinstance(each, EmailMultiAlternatives) and each.to == ["ada@example.com"]
    ]
    return [" ".join(read(message)[0].split()) for message in theirs]


def outcomes(kind):
    return list(Effect.objects.filter(kind=f"subscription.{kind}").order_by("pk").values_list("outcome", flat=True))


class TestRefunded:
    def test_tells_of_a_part_and_that_the_access_stays(self, subscriber, language):
        refund(150)

        [text] = told_to_buyer()

        words = {
            "en": "We have refunded €1.50 of your payment of €4.00. Your access stays as it is.",
            "fr": "Nous avons remboursé 1,50 € sur votre paiement de 4,00 €. Votre accès reste ouvert.",
        }
        assert words[language] in text.replace("\N{NO-BREAK SPACE}", " ")
        assert language == "en" or english_in(text) == []

    def test_tells_of_an_earlier_period_in_full(self, subscriber):
        refund(400, intent="pi_1")

        [text] = told_to_buyer()

        assert "We have refunded your payment of €4.00 in full. Your access stays as it is." in text

    def test_leaves_the_running_period_to_the_mail_about_the_end_of_the_access(self, subscriber):
        refund(400)

        [text] = told_to_buyer()

        assert "was refunded in full, so your access has ended" in text
        assert outcomes("refunded") == ["Another mail says that the access has ended already."]

    def test_is_sent_once_for_each_step_whichever_event_tells_of_it(self, subscriber):
        for _again in range(2):
            refund(100)
            tell(PaymentFact(ObjectRefs(payment_intent="pi_2", charge="ch_2"), 400, "eur", NOON, refunded=100))
        refund(50, name="re_2")

        assert len(told_to_buyer()) == 2

    def test_tells_nothing_of_what_happened_long_before_it_was_looked_up(self, subscriber):
        refund(150, at=NOON - 30 * DAY)

        assert told_to_buyer() == []
        assert outcomes("refunded") == [money_mails.OLD_NEWS.reason]


class TestRefundFailed:
    def test_tells_that_the_money_has_not_arrived(self, subscriber, language):
        refund(400)
        told_to_buyer()
        post.outbox.clear()

        refund(400, "failed", at=NOON + timedelta(hours=1))

        [text] = told_to_buyer()
        words = {"en": "Our refund of €4.00 for your subscription did not arrive", "fr": "n’est pas arrivé"}
        assert words[language] in text
        assert language == "en" or english_in(text) == []

    def test_is_skipped_where_the_same_went_back_since(self, subscriber):
        refund(400, "failed")
        refund(400, at=NOON + timedelta(hours=1), name="re_2")
        told_to_buyer()

        assert outcomes("refund_failed") == [money_mails.REFUNDED_SINCE.reason]


class TestPaymentTakenBack:
    def test_tells_of_a_debit_of_an_earlier_period_that_the_bank_returned(self, subscriber, language):
        dispute(400, intent="pi_1")

        [text] = told_to_buyer()

        words = {"en": "Your bank has taken back €4.00 that you had paid for your subscription.", "fr": "a repris"}
        assert words[language] in text
        assert language == "en" or english_in(text) == []

    def test_leaves_the_running_period_to_the_mail_about_the_end_of_the_access(self, subscriber):
        dispute(400)

        [text] = told_to_buyer()

        assert "Your bank has taken back your payment of €4.00, so your access has ended." in text

    def test_is_skipped_where_it_was_won_after_all(self, subscriber):
        dispute(400, intent="pi_1")
        dispute(400, "won", intent="pi_1", at=NOON + timedelta(hours=1))

        assert told_to_buyer() == []
        assert outcomes("payment_taken_back") == [money_mails.DISPUTE_MOVED_ON.reason]


@pytest.mark.parametrize("kind", KINDS)
def test_every_mail_is_skipped_when_the_subscription_is_gone(kind):
    effect = deliver("x", kind=f"subscription.{kind}", subscription="sub_1", payment="in_1", refund="r", dispute="d")

    assert effect.outcome == money_mails.SUBJECT_GONE.reason
