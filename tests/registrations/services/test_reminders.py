from datetime import timedelta

import pytest
from django.core import mail

from payments.effects.deliver import deliver_due
from payments.effects.models import Effect
from payments.statuses import OrderStatus
from payments.stripe_api import gateway as real_gateway
from payments.stripe_api.lookups import ThrottledStripe
from registrations.mails import SKIP_STATE_CHANGED
from registrations.models import Activity, Registration
from registrations.services import reminders
from registrations.services.register import start_checkout
from registrations.services.reminders import TIME_LEFT, remind_unpaid
from tests.support.fake_gateway import FakeGateway, refused, unavailable
from tests.support.road import NOON, event_of, hear

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway(monkeypatch):
    fake = FakeGateway()
    for name in ("create_checkout_session", "retrieve_checkout_session"):
        monkeypatch.setattr(real_gateway, name, getattr(fake, name))
    monkeypatch.setattr("payments.checkout.open_checkout.create_checkout_session", fake.create_checkout_session)
    monkeypatch.setattr(reminders, "ThrottledStripe", lambda: ThrottledStripe(calls_per_second=1000))
    return fake


@pytest.fixture
def begun(gateway, registration) -> Registration:
    """Has opened the payment page at noon."""
    start_checkout(registration=registration, at=NOON)
    registration.refresh_from_db()
    return registration


@pytest.fixture
def soon(begun):
    """The time to pay is nearly over."""
    return begun.held_until - TIME_LEFT


def tell(row, event_type):
    """Stripe tells of the session that was opened."""
    [session] = row.order.checkouts.values_list("session", flat=True)
    hear(event_of(row, event_type, subject={"session": session}))
    row.order.refresh_from_db()
    return row.order.status


class TestRemindUnpaid:
    def test_sends_one_mail_while_the_page_is_open_however_often_it_looks(self, begun, soon):
        told = [remind_unpaid(at=soon + timedelta(minutes=minute)) for minute in range(3)]
        deliver_due(at=soon + timedelta(minutes=3))

        assert told == [1, 0, 0]
        assert [message.to for message in mail.outbox] == [[begun.email]]

    def test_waits_until_the_time_is_nearly_over(self, soon):
        assert remind_unpaid(at=soon - timedelta(minutes=1)) == 0

    def test_is_silent_when_the_time_is_over(self, begun, soon):
        assert remind_unpaid(at=begun.held_until) == 0

    def test_is_silent_where_no_payment_page_was_opened(self, gateway, registration):
        assert remind_unpaid(at=registration.held_until - timedelta(minutes=1)) == 0

    @pytest.mark.parametrize("status", ["complete", "expired"])
    def test_is_silent_where_stripe_knows_more_than_we_do(self, gateway, soon, status):
        for session in gateway.sessions.values():
            session["status"] = status

        assert remind_unpaid(at=soon) == 0

    def test_is_silent_where_something_has_come_of_it(self, begun, soon):
        assert tell(begun, "payment_intent.payment_failed") == OrderStatus.FAILED

        assert remind_unpaid(at=soon) == 0

    @pytest.mark.parametrize("field", ["called_off_at", "starts_at"])
    def test_is_silent_about_what_nobody_can_come_to(self, soon, field):
        Activity.objects.update(**{field: soon})

        assert remind_unpaid(at=soon) == 0

    @pytest.mark.parametrize("trouble", [refused(), unavailable()])
    def test_asks_again_a_minute_later_where_stripe_does_not_tell(self, begun, gateway, soon, monkeypatch, trouble):
        def fail(**_call):
            raise trouble

        with monkeypatch.context() as patch:
            patch.setattr(real_gateway, "retrieve_checkout_session", fail)
            assert remind_unpaid(at=soon) == 0

        assert remind_unpaid(at=soon + timedelta(minutes=1)) == 1

    def test_says_nothing_of_what_was_paid_before_the_mail_went_out(self, begun, soon):
        remind_unpaid(at=soon)
        assert tell(begun, "checkout.session.completed") == OrderStatus.PAID

        deliver_due(at=soon + timedelta(hours=2))

        assert [message.subject.split()[2] for message in mail.outbox] == ["est"], "nothing but the confirmation"
        assert Effect.objects.get(kind="registration.unpaid").outcome == SKIP_STATE_CHANGED.reason
