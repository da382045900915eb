"""What could not be delivered stands on the desk, in the other side's words, until it is delivered or not wanted."""

from datetime import timedelta

import pytest
from django.core import mail as post
from django.db import transaction

from payments.apply.undelivered import look_after_undelivered
from payments.effects.deliver import BACK_OFF, LOST_AFTER, Refused, Skip, deliver_due, delivers, recover_claimed
from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.models import Effect
from payments.orders.models import OrderException
from payments.refunds.again import send_again
from payments.refunds.staff_refunds import DecisionRefused, dismiss
from payments.statuses import EffectStatus, ExceptionKind
from tests.support.factories import NOON, make_staff
from tests.support.road import event_of, hear
from tests.support.smtp import running_mail_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def smtp(settings):
    """Mails go to the server on this port."""

    def use(server):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port

    return use


@pytest.fixture
def letter(registration):
    """The mail that says that the place is paid for, about to be sent."""
    hear(event_of(registration, "checkout.session.completed"))
    Effect.objects.exclude(kind="registration.confirmed").delete()
    return Effect.objects.get()


@pytest.fixture
def parcels(kinds):
    """What the deliverer answers, one after the other; nothing left: it is delivered."""
    answers = []

    @delivers("parcel")
    def send(effect):
        answer = answers.pop(0) if answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    with transaction.atomic():
        enqueue([EffectRequest("p", "parcel", None, {"email": "ada@example.com"})], at=NOON)
    return answers


def refuse_until_given_up(answers, words="ValueError: no"):
    answers += [ValueError(words)] * (len(BACK_OFF) + 1)
    at = NOON
    for pause in (*BACK_OFF, timedelta(0)):
        deliver_due(at=at)
        at += pause
    return at


def asked():
    return [(row.kind, row.subject, row.is_open) for row in OrderException.objects.order_by("pk")]


class TestAskAboutDelivery:
    def test_names_the_address_that_does_not_exist_and_the_servers_words(self, letter, smtp):
        with running_mail_server(refuses=True) as server:
            smtp(server)
            deliver_due(at=NOON + timedelta(days=1))

        question = OrderException.objects.get()
        assert (question.kind, question.order, question.is_open) == (ExceptionKind.NOT_DELIVERED, letter.order, True)
        assert question.values["person"] == letter.order.email
        assert "550 not here" in question.detail_text

    def test_closes_when_the_mail_gets_through_after_all(self, letter, smtp):
        at = NOON + timedelta(days=1)
        with running_mail_server(refuses=True) as server:
            smtp(server)
            deliver_due(at=at)

        with running_mail_server() as server:
            smtp(server)
            deliver_due(at=at + BACK_OFF[0])

        question = OrderException.objects.get()
        assert (question.is_open, question.closed_reason) == (False, "The cause is gone.")

    def test_says_nothing_of_a_trouble_that_may_pass(self, parcels):
        parcels.append(ValueError("busy"))

        deliver_due(at=NOON)

        assert asked() == []

    def test_speaks_when_the_trouble_has_not_passed(self, parcels):
        refuse_until_given_up(parcels, "the road is closed")

        assert asked() == [("NOT_DELIVERED", "p", True)]
        told = OrderException.objects.get().detail_text
        assert "ada@example.com" in told
        assert "the road is closed" in told

    def test_speaks_at_once_of_a_final_no(self, parcels):
        parcels.append(Refused("550 unknown"))

        deliver_due(at=NOON)

        assert asked() == [("NOT_DELIVERED", "p", True)]

    def test_closes_when_there_is_nothing_to_tell_any_more(self, parcels):
        parcels += [Refused("550 unknown"), Skip("It was refunded.")]

        deliver_due(at=NOON)
        deliver_due(at=NOON + BACK_OFF[0])

        assert asked() == [("NOT_DELIVERED", "p", False)]

    def test_speaks_of_a_mail_whose_worker_died(self, letter):
        Effect.objects.update(status=EffectStatus.CLAIMED, claimed_at=NOON)

        recover_claimed(at=NOON + LOST_AFTER)

        assert asked() == [("NOT_DELIVERED", letter.key, True)]
        assert "was sent, or not" in OrderException.objects.get().detail_text


class TestSendAgain:
    @pytest.fixture
    def question(self, parcels):
        refuse_until_given_up(parcels)
        return OrderException.objects.get()

    def test_delivers_at_once_and_closes_the_question(self, question):
        later = NOON + timedelta(days=2)

        send_again(exception=question, reason="address corrected", by="kim", at=later)
        deliver_due(at=later)

        question.refresh_from_db()
        assert (Effect.objects.get().status, question.is_open) == (EffectStatus.DONE, False)

    def test_is_refused_once_the_question_is_closed(self, question):
        dismiss(exception=question, reason="called", by=make_staff(), at=NOON)

        with pytest.raises(DecisionRefused):
            send_again(exception=question, reason="again", by="kim", at=NOON)

    def test_needs_a_reason(self, question):
        with pytest.raises(DecisionRefused):
            send_again(exception=question, reason=" ", by="kim", at=NOON)

    def test_leaves_a_question_open_that_is_refused_again(self, question, parcels):
        parcels.append(Refused("550 still unknown"))
        later = NOON + timedelta(days=2)

        send_again(exception=question, reason="once more", by="kim", at=later)
        deliver_due(at=later)

        question.refresh_from_db()
        assert question.is_open
        assert "still unknown" in question.detail_text


class TestLookAfterUndelivered:
    def test_asks_about_what_was_given_up_before_there_were_questions(self, letter):
        Effect.objects.update(status=EffectStatus.DEAD, outcome="SMTPException: no")

        look_after_undelivered(at=NOON)
        look_after_undelivered(at=NOON)

        assert asked() == [("NOT_DELIVERED", letter.key, True)]

    def test_lets_go_of_a_mail_that_would_tell_nothing_any_more(self, letter, registration):
        Effect.objects.update(status=EffectStatus.DEAD, outcome="SMTPException: no")
        look_after_undelivered(at=NOON)
        hear(event_of(registration, "refund.created"))
        Effect.objects.exclude(pk=letter.pk).delete()

        look_after_undelivered(at=NOON + timedelta(hours=2))
        deliver_due(at=NOON + timedelta(hours=2))

        letter.refresh_from_db()
        assert letter.status == EffectStatus.SKIPPED
        assert asked() == [("NOT_DELIVERED", letter.key, False)]
        assert post.outbox == []

    def test_stays_silent_about_what_staff_have_settled(self, letter):
        Effect.objects.update(status=EffectStatus.DEAD)
        look_after_undelivered(at=NOON)
        dismiss(exception=OrderException.objects.get(), reason="called", by=make_staff(), at=NOON)

        look_after_undelivered(at=NOON + timedelta(days=1))

        assert asked() == [("NOT_DELIVERED", letter.key, False)]
