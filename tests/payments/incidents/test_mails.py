"""Who is told of an incident, and what."""

from datetime import timedelta

import pytest
from django.core import mail

from payments.effects.deliver import deliver_all
from payments.effects.models import Effect
from payments.incidents.mails import BEGAN, OVER
from payments.orders.models import Order
from tests.support.incidents import closed, opened
from tests.support.mails import english_in, read
from tests.support.road import NOON, event_of, hear

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=2)


@pytest.fixture(autouse=True)
def _account(stripe, settings):
    settings.STRIPE_ALERT_EMAIL = ["staff@shop.example"]


def delivered(*, at=NOON):
    mail.outbox.clear()
    deliver_all(clock=lambda: at)
    return {message.to[0]: message for message in mail.outbox}


class TestStaff:
    def test_hear_what_is_switched_and_that_nothing_ends_by_itself(self, settings):
        settings.LANGUAGE_CODE = "en"
        opened(hold=("*",), pause_sales=True, ends_in=timedelta(hours=1))

        for text in read(delivered()["staff@shop.example"]):
            assert "Orders stay unpaid" in text
            assert "Held back: all events" in text.replace("Held back all", "Held back: all")
            assert "Nothing ends by itself" in text

    def test_get_the_report(self, settings, registration):
        settings.LANGUAGE_CODE = "en"
        opened(hold=("*",))
        hear(event_of(registration, "checkout.session.completed"))
        delivered()
        closed(at=LATER)

        for text in read(delivered(at=LATER)["staff@shop.example"]):
            assert "repaired" in text
            assert "Found by the back-fill" in text
            assert "€49.00" in text

    def test_read_french(self):
        opened(hold=("*",), pause_sales=True)
        [first] = [delivered()["staff@shop.example"]]
        closed(at=LATER)
        second = delivered(at=LATER)["staff@shop.example"]

        for message in (first, second):
            assert [english_in(text.replace("Orders stay unpaid", "")) for text in read(message)] == [[], []]


class TestBuyers:
    def test_whose_order_waits_for_payment_are_told_once_each_and_nobody_else(self, make_registration):
        waiting, paid = make_registration("Ada Byron"), make_registration("Grace Hopper")
        hear(event_of(paid, "checkout.session.completed"))
        incident = opened(notify_people=True, pause_sales=True)

        told = delivered()

        assert "ada.byron@example.com" in told
        key = Effect.objects.get(kind=BEGAN).key
        assert key.startswith(f"{BEGAN}:{incident.pk}:")
        assert "ada" not in key.partition(":")[2]
        assert Effect.objects.get(kind=BEGAN).order_id == waiting.order_id
        for text in read(told["ada.byron@example.com"]):
            assert "Merci de ne pas payer une seconde fois." in text
            assert english_in(text) == []

    def test_are_told_of_the_end_if_they_were_told_of_the_beginning(self, make_registration):
        make_registration("Ada Byron", language="en")
        opened(notify_people=True)
        delivered()
        make_registration("Grace Hopper")

        closed(at=LATER)

        told = delivered(at=LATER)
        assert "grace.hopper@example.com" not in told
        for text in read(told["ada.byron@example.com"]):
            assert "Your order still waits for payment: you can pay now." in text

    def test_who_were_not_reached_in_time_hear_nothing_at_all(self, make_registration):
        make_registration("Ada Byron")
        opened(notify_people=True)

        closed(at=LATER)

        assert set(delivered(at=LATER)) == {"staff@shop.example"}
        assert set(Effect.objects.filter(kind__in=[BEGAN, OVER]).values_list("status", flat=True)) == {"SKIPPED"}

    def test_are_not_told_unless_asked_for(self, registration):
        opened(pause_sales=True)

        assert set(delivered()) == {"staff@shop.example"}
        assert Order.objects.get().status == "PENDING"
