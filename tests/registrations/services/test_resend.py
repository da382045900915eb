"""Sending the message again: the one of the present state, once for each request, with who asked and why."""

from datetime import timedelta

import pytest
from django.core import mail as post

from payments.effects.deliver import deliver_due
from payments.effects.models import Effect
from payments.orders.models import OrderChange
from registrations.models import Activity, Registration
from registrations.services.call_off import call_off
from registrations.services.resend import NotResent, resend_message
from registrations.services.waiting_list import offer_places
from tests.support.road import NOON, event_of, hear
from tests.support.waiting_people import wait_for

COMPLETED = "checkout.session.completed"
LATER = NOON + timedelta(hours=3)
pytestmark = pytest.mark.django_db


def send_again(row, *, reason="Never arrived"):
    resend_message(registration=row, reason=reason, by="boss@example.com", at=LATER)


def deliver():
    deliver_due(at=LATER, limit=50)
    return [mail.subject for mail in post.outbox]


@pytest.fixture
def paid(make_registration) -> Registration:
    """Confirmed, and told so."""
    row = make_registration(language="en")
    hear(event_of(row, COMPLETED))
    deliver()
    return row


class TestResendMessage:
    def test_sends_the_same_mail_once_more(self, paid):
        send_again(paid)

        assert deliver() == ["Your place is confirmed: Pottery"] * 2

    def test_sends_one_for_each_request(self, paid):
        for _request in range(2):
            send_again(paid)
            deliver()

        keys = list(Effect.objects.order_by("pk").values_list("key", flat=True))
        number = paid.order_id
        assert keys == [
            f"registration.confirmed:{number}",
            f"registration.confirmed:{number}:again:1",
            f"registration.confirmed:{number}:again:2",
        ]
        assert len(post.outbox) == 3

    def test_sends_one_for_a_double_click(self, paid):
        send_again(paid)

        with pytest.raises(NotResent, match="about to be sent"):
            send_again(paid)

        assert len(deliver()) == 2

    def test_keeps_why_and_who(self, paid):
        send_again(paid)

        effect = Effect.objects.get(key__contains=":again:")
        assert (effect.data["reason"], effect.data["by"]) == ("Never arrived", "boss@example.com")
        change = OrderChange.objects.get(order=paid.order, field="message")
        assert (change.after, change.source) == ("Never arrived", "boss@example.com")

    def test_tells_the_state_as_it_is_now(self, paid):
        hear(event_of(paid, "charge.refunded"))
        deliver()
        post.outbox.clear()

        send_again(paid)

        assert deliver() == ["Your refund: Pottery"]

    def test_does_not_wait_for_patience_again(self, make_registration):
        row = make_registration(language="en")
        hear(event_of(row, "payment_intent.requires_action"))
        deliver()
        post.outbox.clear()

        send_again(row)

        assert deliver() == ["Please confirm your payment: Pottery"]

    def test_repeats_an_offer_while_it_stands(self, make_activity, make_registration):
        tiny = make_activity(slug="tiny", capacity=1)
        make_registration(of=tiny)
        wait_for(tiny, "Zoë Martin")
        Activity.objects.filter(pk=tiny.pk).update(capacity=2)
        offer_places(at=LATER)
        deliver()

        send_again(Registration.objects.get(waited__isnull=False))

        assert deliver() == ["A place is free for you: Tiny"] * 2

    def test_repeats_that_the_activity_is_called_off(self, paid, activity):
        Effect.objects.filter(kind="refund").delete()
        call_off(activity=activity, reason="The teacher is ill.", by="boss", at=LATER)
        deliver()
        post.outbox.clear()

        send_again(paid)

        assert deliver() == ["Called off: Pottery"]

    @pytest.mark.parametrize("is_called_off", [False, True])
    def test_repeats_to_who_gave_up_a_place_that_it_is_released(self, given_up, is_called_off):
        deliver()
        post.outbox.clear()
        if is_called_off:
            call_off(activity=given_up.activity, reason="The teacher is ill.", by="boss", at=LATER)

        send_again(given_up)

        assert deliver() == ["Your place has been released: Open-Day"]

    def test_has_nothing_to_tell_who_has_just_registered(self, registration):
        with pytest.raises(NotResent, match="nothing to tell"):
            send_again(registration)

        assert not Effect.objects.exists()

    @pytest.mark.parametrize("reason", ["", "  "])
    def test_needs_a_reason(self, paid, reason):
        with pytest.raises(NotResent, match="reason"):
            send_again(paid, reason=reason)

        assert len(deliver()) == 1
