from datetime import timedelta

import pytest
import time_machine
from django.core import mail as post

from payments.billing import mails
from payments.billing.models import Payment, Subscription
from payments.effects.mail import NO_ADDRESS
from payments.orders.models import OrderException
from payments.statuses import EffectStatus
from tests.support.factories import NOON
from tests.support.mails import deliver, english_in, html_of, leads_to, read, sent
from tests.support.members import make_member

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
KINDS = ("payment_failed", "action_required", "trial_will_end", "ending_soon", "access_ended")
FITTING = {
    "payment_failed": {"status": "past_due"},
    "action_required": {"status": "past_due"},
    "trial_will_end": {"status": "trialing", "trial_end": NOON + 3 * DAY},
    "ending_soon": {"cancel_at": NOON + 2 * DAY},
    "access_ended": {"money_back": "refunded"},
}


@pytest.fixture(autouse=True)
def at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture(params=["en", "fr"])
def language(request):
    return request.param


def member(kind, language="en", **fields):
    row = make_member(**{**FITTING[kind], **fields})
    Payment.objects.create(key="in_9", subscription=row, received=400, refunded=400, currency="eur")
    row.customer.user.language = language
    row.customer.user.save()
    return row


def tell(kind, **data):
    given = {"subscription": "sub_1", "invoice": "in_1", "payment": "in_9", "next_try_at": "", "reason": "", **data}
    return deliver(f"subscription.{kind}:in_1", kind=f"subscription.{kind}", **given)


def alert(**data):
    given = {"subscription": "sub_1", "invoice": "in_1", "next_try_at": "", "reason": "customer_tax_location_invalid"}
    return deliver("alert.finalization_failed:in_1", kind="alert.finalization_failed", **{**given, **data})


class TestEveryMail:
    @pytest.mark.parametrize("kind", KINDS)
    def test_reaches_the_subscriber_and_leads_to_their_account(self, kind):
        member(kind)

        assert tell(kind).status == EffectStatus.DONE

        message = sent()
        assert message.to == ["ada@example.com"]
        assert leads_to(message, "/account/")
        assert "Hello Ada," in read(message)[0]
        assert "Monthly" in html_of(message)

    @pytest.mark.parametrize("kind", KINDS)
    def test_is_french_throughout_for_who_reads_french(self, kind):
        member(kind, "fr")

        tell(kind)

        assert [english_in(text) for text in (sent().subject, *read(sent()))] == [[], [], []]

    # That its money went back holds for what has ended, too.
    @pytest.mark.parametrize("kind", KINDS[:-1])
    def test_is_skipped_when_the_subscription_has_ended(self, kind):
        row = member(kind)
        Subscription.objects.filter(pk=row.pk).update(status="canceled")

        effect = tell(kind)

        assert (effect.status, effect.outcome) == (EffectStatus.SKIPPED, mails.HAS_ENDED.reason)
        assert post.outbox == []

    @pytest.mark.parametrize("kind", KINDS)
    def test_waits_on_the_desk_while_nobody_knows_whom_to_tell(self, kind):
        row = member(kind)
        Subscription.objects.filter(pk=row.pk).update(customer=None)

        effect = tell(kind)

        assert (effect.status, effect.outcome) == (EffectStatus.PENDING, f"Refused: {NO_ADDRESS}")
        assert OrderException.objects.get(is_open=True).subject == effect.key
        assert post.outbox == []

    @pytest.mark.parametrize("kind", KINDS)
    def test_is_skipped_when_the_subscription_is_gone(self, kind):
        assert tell(kind).outcome == mails.SUBJECT_GONE.reason


class TestPaymentFailed:
    def test_says_when_it_is_tried_again(self):
        member("payment_failed")

        tell("payment_failed", next_try_at=(NOON + 5 * DAY).isoformat())

        assert all("we try again on March 7, 2026" in text for text in read(sent()))

    def test_says_that_it_is_not_tried_again(self):
        member("payment_failed")

        tell("payment_failed")

        assert all("we do not try again by ourselves" in text for text in read(sent()))

    def test_is_skipped_when_it_was_paid_meanwhile(self):
        row = member("payment_failed")
        Payment.objects.create(key="in_1", subscription=row, currency="eur", received=400, paid_at=NOON)

        assert tell("payment_failed").outcome == mails.INVOICE_PAID.reason

    def test_is_skipped_while_the_buyer_is_on_the_payment_page(self):
        member("payment_failed", status="incomplete")

        assert tell("payment_failed").outcome == mails.NOT_BEGUN.reason

    def test_leaves_it_to_the_mail_that_says_what_to_confirm(self):
        member("payment_failed")
        tell("action_required")

        assert tell("payment_failed").outcome == mails.ANOTHER_MAIL.reason


class TestTrialWillEnd:
    def test_says_when_and_what_it_costs_from_then_on(self):
        member("trial_will_end")

        tell("trial_will_end")

        assert all("ends on March 5, 2026" in text and "€4.00" in text for text in read(sent()))

    def test_is_skipped_once_it_is_paid(self):
        member("trial_will_end", status="active")

        assert tell("trial_will_end").outcome == mails.NO_TRIAL.reason

    def test_is_skipped_for_who_has_canceled(self):
        member("trial_will_end", cancel_at=NOON + 3 * DAY)

        assert tell("trial_will_end").outcome == mails.ANOTHER_MAIL.reason


class TestEndingSoon:
    @pytest.mark.parametrize("cancel_at", [None, NOON - DAY])
    def test_is_skipped_for_who_goes_on(self, cancel_at):
        member("ending_soon", cancel_at=cancel_at)

        assert tell("ending_soon").outcome == mails.NO_END_PLANNED.reason


class TestFinalizationFailed:
    def test_tells_staff_which_invoice_and_why(self, language, settings):
        settings.LANGUAGE_CODE = language
        row = make_member()

        alert()

        message = sent()
        assert message.to == settings.STRIPE_ALERT_EMAIL
        assert leads_to(message, f"/admin/payments/subscription/{row.pk}/change/")
        assert all("in_1" in text and "customer_tax_location_invalid" in text for text in read(message))
        if language == "fr":
            assert english_in(message.subject) == english_in(message.body) == []

    def test_is_skipped_when_it_was_paid_after_all(self):
        row = make_member()
        Payment.objects.create(key="in_1", subscription=row, currency="eur", received=400, paid_at=NOON)

        assert alert().outcome == mails.INVOICE_PAID.reason

    def test_is_skipped_when_the_subscription_is_gone(self):
        assert alert().outcome == mails.SUBJECT_GONE.reason


class TestAccessEnded:
    @pytest.mark.parametrize(
        ("reason", "words"),
        [("refunded", "was refunded in full"), ("dispute_lost", "Your bank has taken back your payment of")],
    )
    def test_says_why_and_what_goes_on(self, reason, words):
        member("access_ended", money_back=reason)

        assert tell("access_ended").status == EffectStatus.DONE

        text = " ".join(read(sent())[0].split())
        assert words in text
        assert "it renews on April 2, 2026" in text

    def test_promises_no_renewal_of_what_has_ended(self):
        member("access_ended", status="canceled", ended_at=NOON)

        assert tell("access_ended").status == EffectStatus.DONE

        assert "renews" not in read(sent())[0]

    def test_is_not_sent_once_the_access_is_back(self):
        member("access_ended", money_back="")

        assert tell("access_ended").outcome == mails.ACCESS_IS_BACK.reason
