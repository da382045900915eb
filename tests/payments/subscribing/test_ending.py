"""Whoever is switched off pays on only if staff want that, and what nobody has decided stands on the desk."""

from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from accounts.models import User
from payments.billing.models import Subscription
from payments.effects.deliver import BACK_OFF, deliver_due
from payments.effects.models import Effect
from payments.orders.models import OrderException
from payments.statuses import EffectStatus
from payments.subscribing import ask_about_closed_accounts, cancel_at_period_end, resume
from stripe_emulator.models import StoredObject
from tests.support.factories import make_staff
from tests.support.subscriber import unreachable

DESK = reverse("admin:payments_orderexception_changelist")


@pytest.fixture
def page(db):
    client = Client(headers={"accept-language": "en"})
    client.force_login(make_staff(email="boss@example.com"))
    return client


def now():
    return datetime.now(UTC)


def switch_off(page, user, **fields):
    """What the form sends when the box is not ticked."""
    own = {"email": user.email, "name": user.name, "language": user.language, "reason": "asked to"}
    return page.post(reverse("admin:accounts_user_change", args=[user.pk]), {**own, **fields})


def deliver(*, at=None):
    Effect.objects.exclude(kind="subscription.end").delete()
    deliver_due(at=at or now())


def at_stripe(name):
    return StoredObject.objects.get(stripe_id=name).data


def asked():
    rows = OrderException.objects.filter(kind="ACCOUNT_CLOSED").order_by("pk")
    return list(rows.values_list("subject", "is_open"))


class TestSwitchingOff:
    def test_is_refused_without_a_choice_and_nothing_is_saved(self, page, ada, subscribed):
        response = switch_off(page, ada, name="Somebody else")

        ada.refresh_from_db()
        told = response.content.decode().replace("\N{NO-BREAK SPACE}", " ")
        assert "€4.00) goes on being billed: choose what becomes of it." in told
        assert (ada.is_active, ada.name) == (True, "Ada")
        assert not Effect.objects.filter(kind="subscription.end").exists()

    @pytest.mark.parametrize("odd", ["later", "NOW", " "])
    def test_takes_no_other_words(self, page, ada, subscribed, odd):
        switch_off(page, ada, ending=odd)

        ada.refresh_from_db()
        assert ada.is_active

    def test_ends_it_now(self, page, ada, subscribed):
        switch_off(page, ada, ending="now")
        assert at_stripe(subscribed)["status"] == "active"

        deliver()

        assert (at_stripe(subscribed)["status"], Subscription.objects.get().status) == ("canceled", "canceled")
        assert (User.objects.get(pk=ada.pk).is_active, asked()) == (False, [])

    def test_ends_it_with_the_period(self, page, ada, subscribed):
        switch_off(page, ada, ending="period")
        deliver()

        assert at_stripe(subscribed)["cancel_at_period_end"] is True
        assert Subscription.objects.get().cancel_at is not None

    def test_leaves_it_and_asks_staff(self, page, ada, subscribed):
        switch_off(page, ada, ending="leave")

        question = OrderException.objects.get()
        assert (asked(), question.subscription) == ([(subscribed, True)], Subscription.objects.get())
        told = question.detail_text.replace("\N{NO-BREAK SPACE}", " ")
        assert told == ("The account of ada@example.com is switched off, and Premium goes on being billed: €4.00.")
        assert not Effect.objects.filter(kind="subscription.end").exists()

    def test_keeps_the_choice_in_the_account_s_history(self, page, ada, subscribed):
        switch_off(page, ada, ending="now")

        assert "what goes on being billed" in LogEntry.objects.latest("pk").get_change_message()

    def test_asks_nothing_where_nothing_is_billed(self, page, ada, subscribed):
        cancel_at_period_end(user=ada, at=now())

        switch_off(page, ada)

        assert (User.objects.get(pk=ada.pk).is_active, asked()) == (False, [])

    def test_is_asked_beside_the_switch_and_only_where_something_is_billed(self, page, ada, subscribed):
        own, other = (
            page.get(reverse("admin:accounts_user_change", args=[user.pk])).content.decode()
            for user in (ada, User.objects.get(email="boss@example.com"))
        )

        assert 'name="ending"' in own
        assert 'name="ending"' not in other


class TestDeliverEnd:
    def test_is_tried_again_and_done_once_when_stripe_was_away(self, page, ada, subscribed, monkeypatch):
        switch_off(page, ada, ending="now")
        with unreachable(monkeypatch):
            deliver()
        at = Effect.objects.get(kind="subscription.end").not_before

        deliver(at=at)

        assert at_stripe(subscribed)["status"] == "canceled"
        assert Effect.objects.get().status == EffectStatus.DONE

    def test_is_a_question_when_stripe_refuses(self, page, ada, subscribed, stripe_api):
        switch_off(page, ada, ending="now")
        StoredObject.objects.filter(stripe_id=subscribed).delete()

        deliver()

        question = OrderException.objects.get(kind="NOT_DELIVERED")
        assert (question.is_open, question.subscription.stripe_id) == (True, subscribed)
        assert "No such subscription" in question.detail_text
        assert "ada@example.com" in question.detail_text

    def test_leaves_alone_what_has_ended_meanwhile(self, page, ada, subscribed, stripe_api):
        switch_off(page, ada, ending="now")
        Subscription.objects.update(status="canceled")

        deliver()

        assert Effect.objects.get().status == EffectStatus.SKIPPED


class TestAskAboutClosedAccounts:
    def test_finds_whoever_was_switched_off_in_another_way(self, ada, subscribed):
        User.objects.update(is_active=False)

        assert ask_about_closed_accounts(at=now()) == 1
        assert ask_about_closed_accounts(at=now()) == 1

        assert asked() == [(subscribed, True)]

    def test_closes_when_the_account_is_open_again(self, ada, subscribed):
        User.objects.update(is_active=False)
        ask_about_closed_accounts(at=now())

        User.objects.update(is_active=True)
        ask_about_closed_accounts(at=now())

        assert asked() == [(subscribed, False)]

    def test_asks_again_when_the_end_is_taken_back(self, ada, subscribed):
        cancel_at_period_end(user=ada, at=now())
        User.objects.update(is_active=False)
        assert ask_about_closed_accounts(at=now()) == 0

        resume(user=ada, at=now())

        assert ask_about_closed_accounts(at=now()) == 1


class TestDesk:
    @pytest.mark.parametrize(("action", "status"), [("end_now", "canceled"), ("end_period", "active")])
    def test_ends_what_goes_on_and_closes_the_question(self, page, ada, subscribed, action, status):
        switch_off(page, ada, ending="leave")
        question = OrderException.objects.get()
        chosen = {"action": action, "_selected_action": question.pk, "confirmed": "yes", "reason": "agreed by phone"}

        page.post(DESK, chosen)
        assert asked() == [(subscribed, True)]
        deliver(at=now() + BACK_OFF[0])

        assert (at_stripe(subscribed)["status"], asked()) == (status, [(subscribed, False)])
        assert Subscription.objects.get().changes.filter(source="boss@example.com", after="agreed by phone").exists()

    def test_offers_no_refund(self, page, ada, subscribed):
        switch_off(page, ada, ending="leave")
        own = reverse("admin:payments_orderexception_change", args=[OrderException.objects.get().pk])

        content = page.get(own).content.decode()

        assert 'value="end_now"' in content
        assert 'value="refund"' not in content
