"""The exception desk: each question can be refunded, seated or dismissed, by who may, with a reason."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from payments.apply.undelivered import look_after_undelivered
from payments.billing.models import Payment
from payments.effects.models import Effect
from payments.orders.models import OrderException
from payments.statuses import EffectStatus, ExceptionKind
from registrations.models import Activity
from tests.support.members import make_member
from tests.support.pages import text_of
from tests.support.refunds import ask, pay
from tests.support.road import NOON, event_of, hear

LIST = reverse("admin:payments_orderexception_changelist")


@pytest.fixture
def late(make_activity, make_registration):
    """Paid when somebody else had the last place."""
    tiny = make_activity(slug="tiny", capacity=1)
    row = make_registration("Late Payer", of=tiny)
    hear(event_of(row, "checkout.session.expired"))
    make_registration("Alex Smith", of=tiny)
    pay(row)
    return row


@pytest.fixture
def question(late):
    return OrderException.objects.get()


@pytest.fixture
def unknown(db):
    return OrderException.objects.create(kind=ExceptionKind.UNKNOWN_ORDER, subject="evt_<b>", opened_at=NOON)


def choose(page, action, *questions, **fields):
    data = {"action": action, "_selected_action": [each.pk for each in questions], **fields}
    return page.post(LIST, data, follow=True)


def confirm(page, action, *questions, reason="it was agreed"):
    return choose(page, action, *questions, confirmed="yes", reason=reason)


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


def is_untouched(question) -> bool:
    question.refresh_from_db()
    return question.is_open and not Effect.objects.filter(kind="refund").exists()


class TestState:
    def test_is_a_word_and_no_tick(self, page, question, unknown):
        OrderException.objects.filter(pk=unknown.pk).update(is_open=False, closed_at=NOON)

        content = page.get(LIST).content.decode()

        assert '<span class="pill pill-care">open</span>' in content
        assert '<span class="pill pill-off">closed</span>' in content
        assert "icon-yes" not in content


class TestMoneyHere:
    """What the list shows of the order's money."""

    def shown(self, page, registration):
        [row] = page.get(LIST).context["cl"].result_list
        assert row.order_id == registration.order_id
        return in_plain_words(row.order.here_text), in_plain_words(row.detail_text)

    def test_is_told_in_its_own_currency(self, page, registration):
        dollars = {"payment_intent": "pi_usd", "charge": "ch_usd", "session": "", "currency": "usd"}
        hear(event_of(registration, "payment_intent.succeeded", subject=dollars, amount=3000))

        assert self.shown(page, registration) == ("$30.00", "$30.00, expected €49.00")
        assert "$30.00" in in_plain_words(page.get(LIST).content.decode())

    def test_is_without_what_a_dispute_took(self, page, registration):
        pay(registration)
        hear(event_of(registration, "charge.dispute.closed", status="lost", amount=900))

        assert self.shown(page, registration) == ("€40.00", "€9.00 of €49.00: this part is lost.")


def in_plain_words(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("&nbsp;", " ")


class TestQuestions:
    @pytest.mark.parametrize(
        ("action", "words"),
        [
            ("refund", "€49.00 is refunded to the original payment method"),
            ("seat", "gets a place, as far as places are free"),
            ("close", "No money is charged or refunded"),
        ],
    )
    def test_say_what_will_happen_and_do_nothing(self, page, question, action, words):
        content = choose(page, action, question).content.decode()

        assert words in content
        assert 'name="reason"' in content
        assert is_untouched(question)

    @pytest.mark.parametrize("action", ["refund", "seat", "close"])
    def test_need_a_reason(self, page, question, action):
        Activity.objects.update(capacity=2)

        assert "errorlist" in confirm(page, action, question, reason=" ").content.decode()

        assert is_untouched(question)

    @pytest.mark.parametrize("action", ["refund", "seat", "close"])
    def test_are_never_answered_by_get(self, page, question, action):
        page.get(LIST, {"action": action, "_selected_action": question.pk, "confirmed": "yes", "reason": "a link"})

        assert is_untouched(question)

    @pytest.mark.parametrize("action", ["refund", "seat", "close"])
    def test_are_answered_by_who_may(self, client, clerk, question, action):
        clerk.user_permissions.add(Permission.objects.get(codename="view_orderexception"))
        client.force_login(clerk)

        confirm(client, action, question)

        assert is_untouched(question)


class TestPreview:
    """The real thing, rolled back: what is confirmed is what was shown."""

    def press(self, page, action, question, response):
        shown = re.search(r'name="shown" value="([^"]*)"', response.content.decode())[1]
        return choose(page, action, question, confirmed="yes", reason="agreed", shown=shown)

    def test_shows_how_much_goes_back(self, page, question):
        text = in_plain_words(text_of(choose(page, "refund", question)))

        assert "Refund of €49.00 of the payment" in text
        assert is_untouched(question)

    def test_shows_the_place_the_mail_and_the_question_that_closes(self, page, late, question):
        Activity.objects.filter(pk=late.activity_id).update(capacity=2)

        response = choose(page, "seat", question)

        text = text_of(response)
        assert "Place free held" in text
        assert "E-mail to late.payer@example.com" in text
        assert "Paid without a place" in text
        assert "closes" in text
        assert is_untouched(question)
        self.press(page, "seat", question, response)
        late.refresh_from_db()
        assert late.holds_place

    def test_shows_why_it_would_be_refused(self, page, question):
        assert "No place is free" in text_of(choose(page, "seat", question))

    def test_is_shown_again_where_something_has_changed_since(self, page, late, question):
        response = choose(page, "seat", question)
        Activity.objects.filter(pk=late.activity_id).update(capacity=2)

        again = self.press(page, "seat", question, response)

        late.refresh_from_db()
        assert not late.holds_place
        assert messages_of(again) == ["Something has changed since: this is what happens now."]
        self.press(page, "seat", question, again)
        late.refresh_from_db()
        assert late.holds_place


class TestRefund:
    def test_is_asked_for_once(self, page, staff, late, question):
        confirm(page, "refund", question)
        response = confirm(page, "refund", question)

        [effect] = Effect.objects.filter(kind="refund")
        assert (effect.data["reason"], effect.data["by"]) == ("it was agreed", staff.email)
        assert messages_of(response) == [
            "1 refused: Nothing is left to refund, or a refund has been asked for already."
        ]

    def test_stands_on_the_list_until_it_is_made(self, page, question):
        confirm(page, "refund", question)

        assert ">Waiting</td>" in page.get(LIST).content.decode().split("field-refund_text")[1]

    def test_is_refused_where_no_order_is_known(self, page, unknown):
        assert "can only be refunded at Stripe" in choose(page, "refund", unknown).content.decode()
        assert "evt_<b>" not in choose(page, "refund", unknown).content.decode()

        assert "Stripe Dashboard" in messages_of(confirm(page, "refund", unknown))[0]


class TestGiveAPlace:
    def test_seats_the_person(self, page, late, question):
        Activity.objects.filter(pk=late.activity_id).update(capacity=2)

        response = confirm(page, "seat", question)

        late.refresh_from_db()
        assert (late.holds_place, messages_of(response)) == (True, ["1 given a place."])

    def test_says_when_there_is_none(self, page, late, question):
        response = confirm(page, "seat", question)

        assert messages_of(response) == ["1 refused: No place is free, or this person holds one already."]


class TestQuestionsInWords:
    def test_are_the_first_column_and_the_title(self, page, registration):
        hear(event_of(registration, "checkout.session.completed", amount=1))
        odd = OrderException.objects.get(kind=ExceptionKind.AMOUNT_MISMATCH)
        own = reverse("admin:payments_orderexception_change", args=[odd.pk])

        for address in (LIST, own):
            content = in_plain_words(page.get(address).content.decode())
            assert f"Received €0.01 for {registration.order.label}, expected €49.00" in content

    def test_are_not_told_who_may_not_see_orders(self, client, clerk, question):
        clerk.user_permissions.add(Permission.objects.get(codename="view_orderexception"))
        client.force_login(clerk)
        own = reverse("admin:payments_orderexception_change", args=[question.pk])

        assert question.order.label not in client.get(LIST).content.decode() + client.get(own).content.decode()

    def test_say_when_a_sample_event_has_made_it_up(self, page, registration):
        hear(event_of(registration, "checkout.session.completed"))
        made_up = registration.order.payments.get().key
        ours, other = (
            OrderException.objects.create(
                kind=ExceptionKind.NOT_AT_STRIPE, subject=name, order=registration.order, opened_at=NOON
            )
            for name in (made_up, "pi_real")
        )

        told = [
            "A sample event has made this up" in page.get(
                reverse("admin:payments_orderexception_change", args=[row.pk])
            ).content.decode()
            for row in (ours, other)
        ]  # fmt: skip

        assert told == [True, False]


class TestAccept:
    @pytest.fixture
    def odd(self, registration):
        hear(event_of(registration, "checkout.session.completed", amount=1))
        return OrderException.objects.get(kind=ExceptionKind.AMOUNT_MISMATCH)

    def test_shows_what_would_change_and_does_nothing(self, page, odd):
        content = choose(page, "accept_money", odd).content.decode()

        assert "Waiting for payment → Paid" in content
        assert "1 message goes out" in content
        odd.order.refresh_from_db()
        assert odd.order.status == "PENDING"

    def test_pays_the_order_once_it_is_confirmed(self, page, odd):
        response = confirm(page, "accept_money", odd)

        odd.order.refresh_from_db()
        assert (odd.order.status, messages_of(response)) == ("PAID", ["1 accepted."])

    def test_needs_its_own_right(self, client, clerk, odd):
        clerk.user_permissions.set(
            Permission.objects.filter(codename__in=["view_orderexception", "change_orderexception"])
        )
        client.force_login(clerk)

        confirm(client, "accept_money", odd)

        assert is_untouched(odd)


class TestLink:
    def test_asks_for_an_order_that_exists(self, page, unknown):
        response = choose(page, "link", unknown, confirmed="yes", reason="mine", order="O-999999")

        assert "There is no order called “O-999999”." in response.content.decode()

    def test_gives_the_money_to_the_order(self, page, registration):
        names = {"order": "0a3c6a38-2b8f-4a39-9a5e-6f1c4c2f1a11", "registration": "", "payment_intent": "pi_lost"}
        hear(event_of(registration, "payment_intent.succeeded", subject=names))
        lost = OrderException.objects.get(kind=ExceptionKind.UNKNOWN_ORDER)

        assert "pi_lost" in choose(page, "link", lost).content.decode()
        looked = choose(page, "link", lost, look="yes", order=registration.order.number).content.decode()
        assert "Waiting for payment" in looked
        assert not registration.order.payments.exists(), "a look changes nothing"
        choose(page, "link", lost, confirmed="yes", reason="mine", order=registration.order.number)

        lost.refresh_from_db()
        assert (lost.is_open, registration.order.references.filter(name="pi_lost").exists()) == (False, True)


class TestDismiss:
    def test_closes_each_with_name_and_reason(self, page, staff, question, unknown):
        confirm(page, "close", question, unknown)

        rows = OrderException.objects.values_list("is_open", "closed_by", "closed_reason")
        assert set(rows) == {(False, staff.pk, "it was agreed")}


class TestPage:
    def test_offers_what_can_be_done_while_the_question_is_open(self, page, question):
        own = reverse("admin:payments_orderexception_change", args=[question.pk])
        buttons = ('value="refund"', 'value="seat"', 'value="close"')

        assert all(button in page.get(own).content.decode() for button in buttons)

        confirm(page, "close", question)
        assert not any(button in page.get(own).content.decode() for button in buttons)

    def test_offers_neither_money_nor_place_where_no_order_is(self, page, unknown):
        content = page.get(reverse("admin:payments_orderexception_change", args=[unknown.pk])).content.decode()

        assert 'value="close"' in content
        assert 'value="refund"' not in content
        assert 'value="seat"' not in content

    def test_shows_the_money_at_stake(self, page, question):
        assert "€49.00" in page.get(LIST).content.decode()


class TestSendAgain:
    @pytest.fixture
    def unsent(self, db):
        """A mail that was given up, and the question about it."""
        Effect.objects.create(
            key="letter:1", kind="letter", status=EffectStatus.DEAD, attempts=6, not_before=NOON, created_at=NOON
        )
        return OrderException.objects.create(
            kind=ExceptionKind.NOT_DELIVERED, subject="letter:1", detail="no", opened_at=NOON
        )

    def test_says_what_will_happen_and_does_nothing_before(self, page, unsent):
        assert "the address that is known now" in choose(page, "send_once_more", unsent).content.decode()

        assert Effect.objects.get().status == EffectStatus.DEAD

    def test_puts_the_message_on_its_way(self, page, unsent):
        response = confirm(page, "send_once_more", unsent)

        effect = Effect.objects.get()
        assert (effect.status, effect.attempts) == (EffectStatus.PENDING, 0)
        assert messages_of(response) == ["1 on the way. The question closes when it is delivered."]

    def test_is_the_one_button_of_a_message_beside_dismissing(self, page, unsent):
        content = page.get(reverse("admin:payments_orderexception_change", args=[unsent.pk])).content.decode()

        offered = [
            name
            for name in ("refund", "refund_once_more", "send_once_more", "seat", "close")
            if f'value="{name}"' in content
        ]
        assert offered == ["send_once_more", "close"]

    def test_needs_the_right_to_settle(self, client, clerk, unsent):
        clerk.user_permissions.add(Permission.objects.get(codename="view_orderexception"))
        client.force_login(clerk)

        confirm(client, "send_once_more", unsent)

        assert Effect.objects.get().status == EffectStatus.DEAD


class TestRefundAgain:
    @pytest.fixture
    def debt(self, registration):
        """A refund that was given up, and the question about it."""
        order = pay(registration)
        [effect] = ask(order, amount=1000)
        Effect.objects.exclude(pk=effect.pk).delete()
        Effect.objects.update(status=EffectStatus.DEAD, outcome="GatewayRefused: no money", claimed_at=NOON)
        look_after_undelivered(at=NOON)
        return OrderException.objects.get()

    def test_says_how_much_is_owed_to_whom_and_what_stripe_says(self, page, debt):
        content = choose(page, "refund_once_more", debt).content.decode()

        assert f"€10.00 still owed back for {debt.order.label}: no money (" in content
        assert f", {debt.order.email})" in content
        assert Effect.objects.get().status == EffectStatus.DEAD

    def test_asks_stripe_again_at_once(self, page, debt):
        confirm(page, "refund_once_more", debt)

        assert Effect.objects.get().status == EffectStatus.PENDING
        debt.refresh_from_db()
        assert debt.is_open

    def test_is_refused_when_nothing_is_owed_any_more(self, page, debt):
        Effect.objects.update(status=EffectStatus.SKIPPED)

        response = confirm(page, "refund_once_more", debt)

        assert messages_of(response) == ["1 refused: Nothing of this is owed any more."]

    def test_needs_the_right_to_refund(self, client, clerk, debt):
        clerk.user_permissions.add(Permission.objects.get(codename="view_orderexception"))
        client.force_login(clerk)

        confirm(client, "refund_once_more", debt)

        assert Effect.objects.get().status == EffectStatus.DEAD


class TestQuestionsAboutSubscriptions:
    @pytest.fixture
    def period(self, db):
        row = make_member(money_back="refunded")
        Payment.objects.create(
            key="in_9", subscription=row, received=400, refunded=400, currency="eur", paid_at=NOON,
            period_start=row.period_start, period_end=row.period_end,
        )  # fmt: skip
        return OrderException.objects.create(
            kind=ExceptionKind.PERIOD_REFUNDED, subject="in_9", subscription=row, opened_at=NOON
        )

    def test_lead_to_the_subscription_and_its_person(self, page, period):
        content = page.get(LIST).content.decode()

        assert "sub_1" in content
        assert "ada@example.com" in content

    def test_offer_both_ways_on_their_page(self, page, period):
        content = page.get(reverse("admin:payments_orderexception_change", args=[period.pk])).content.decode()

        assert "Cancel the subscription now" in content
        assert "Give the access back" in content

    def test_give_the_access_back(self, page, staff, period):
        confirm(page, "give_back", period)

        period.refresh_from_db()
        period.subscription.refresh_from_db()
        assert (period.is_open, period.closed_by, period.subscription.money_back) == (False, staff, "")

    def test_say_before_what_a_cancellation_does(self, page, period):
        assert "nothing more is charged" in choose(page, "cancel_subscription", period).content.decode()

    def test_can_be_dismissed(self, page, period):
        confirm(page, "close", period)

        period.refresh_from_db()
        assert not period.is_open
