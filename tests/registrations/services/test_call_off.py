"""Calling an activity off: everybody is told once, money goes back once, and nothing is left half done."""

from datetime import timedelta

import pytest
from django.core import mail as post

from payments.checkout.open_checkout import open_checkout
from payments.cleanup.cleanup import clean_up
from payments.effects.deliver import deliver_due
from payments.effects.models import Effect
from payments.orders.models import OrderChange
from registrations.models import Activity, Registration
from registrations.services import call_off as module
from registrations.services.call_off import CallOffPreview, NotCalledOff, call_off, finish_calling_off, preview_call_off
from registrations.services.register import SalesClosed, register
from registrations.services.waiting_list import offer_places
from registrations.tasks import finish_calling_off_job
from tests.support.factories import ActivityFactory, RegistrationFactory
from tests.support.mails import read
from tests.support.road import NOON, event_of, hear
from tests.support.stripe_moods import stand_in
from tests.support.waiting_people import address_of, wait_for

COMPLETED, EXPIRED, REFUNDED = "checkout.session.completed", "checkout.session.expired", "charge.refunded"
LATER = NOON + timedelta(hours=2)
REASON = "The teacher is ill."
pytestmark = pytest.mark.django_db


class Died(BaseException):
    """What a worker does when it is killed."""


@pytest.fixture(autouse=True)
def gateway(monkeypatch):
    return stand_in(monkeypatch)


@pytest.fixture
def paid(make_registration) -> Registration:
    row = make_registration("Paid Person", language="en")
    hear(event_of(row, COMPLETED))
    return row


@pytest.fixture
def waiting(make_registration) -> Registration:
    """Holds a place and has not been to the payment page."""
    return make_registration("Slow Person", language="en")


def end(activity: Activity, *, reason: str = REASON, by: str = "boss@example.com", at=LATER) -> None:
    call_off(activity=activity, reason=reason, by=by, at=at)


def told(kind: str = "registration.called_off") -> list[int | None]:
    return list(Effect.objects.filter(kind=kind).order_by("order_id").values_list("order_id", flat=True))


def refunds() -> list[int | None]:
    return told("refund")


class TestCallOff:
    def test_closes_the_sales_for_a_reason(self, activity):
        end(activity)

        activity.refresh_from_db()
        assert (activity.is_on_sale, activity.called_off_at, activity.called_off_reason) == (False, LATER, REASON)
        with pytest.raises(SalesClosed):
            register(activity=activity, name="New", email="new@example.com", language="fr", at=LATER)

    @pytest.mark.parametrize("reason", ["", "   "])
    def test_needs_a_reason(self, activity, reason):
        with pytest.raises(NotCalledOff):
            end(activity, reason=reason)

        activity.refresh_from_db()
        assert activity.called_off_at is None

    def test_tells_everybody_who_counts_on_it(self, activity, paid, waiting):
        end(activity)

        assert told() == [paid.order_id, waiting.order_id]

    def test_leaves_in_peace_who_has_left_before(self, activity, paid, make_registration):
        expired, refunded, lost = (make_registration(f"{name} Person") for name in ("Expired", "Refunded", "Lost"))
        hear(event_of(expired, EXPIRED), event_of(refunded, COMPLETED), event_of(lost, COMPLETED))
        hear(event_of(refunded, REFUNDED), event_of(lost, "charge.dispute.closed", status="lost"))

        end(activity)

        assert (told(), refunds()) == ([paid.order_id], [paid.order_id])

    def test_asks_for_the_money_of_who_has_paid(self, activity, paid, waiting):
        end(activity)

        effect = Effect.objects.get(kind="refund")
        assert effect.order_id == paid.order_id
        assert (effect.data["reason"], effect.data["by"]) == (REASON, "boss@example.com")

    def test_leaves_money_in_dispute_to_the_bank_until_it_is_won(self, activity, paid):
        hear(event_of(paid, "charge.dispute.created"))
        end(activity)
        disputed = refunds()

        hear(event_of(paid, "charge.dispute.closed", status="won"))
        finish_calling_off(at=LATER)

        assert (told(), disputed, refunds()) == ([paid.order_id], [], [paid.order_id])

    def test_gives_back_at_once_what_the_bank_only_asks_about(self, activity, paid):
        hear(event_of(paid, "charge.dispute.created", status="warning_needs_response"))

        end(activity)

        assert refunds() == [paid.order_id]

    def test_promises_nothing_that_a_dispute_has_taken(self, activity, paid):
        hear(event_of(paid, "charge.dispute.closed", status="lost", amount=900))

        preview = preview_call_off(activity)

        assert [total.replace("\N{NO-BREAK SPACE}", " ") for total in preview.totals] == ["€40.00"]

    def test_closes_orders_for_which_stripe_was_never_asked(self, activity, waiting):
        end(activity)

        waiting.refresh_from_db()
        activity.refresh_from_db()
        assert (waiting.status, waiting.holds_place, activity.places_taken) == ("CANCELED", False, 0)

    def test_leaves_an_open_payment_page_to_the_next_clean_up(self, activity, waiting, gateway):
        opened = open_checkout(order_id=waiting.order_id, at=NOON)
        at = NOON + timedelta(minutes=1)
        end(activity, at=at)
        waiting.refresh_from_db()
        before = (waiting.status, waiting.holds_place, waiting.held_until)

        clean_up(at=at)

        waiting.refresh_from_db()
        assert before == ("PENDING", True, at)
        assert (waiting.status, waiting.holds_place) == ("EXPIRED", False)
        assert gateway.sessions[opened.session]["status"] == "expired"

    def test_keeps_the_reason_and_the_person_in_the_history(self, activity, paid):
        end(activity)

        change = OrderChange.objects.get(order=paid.order, field="called off")
        assert (change.after, change.source) == (REASON, "boss@example.com")

    def test_tells_who_waits_for_a_place(self, activity, waiting):
        Activity.objects.filter(pk=activity.pk).update(capacity=1)
        wait_for(activity, "Zoë Martin")

        end(activity)

        assert Effect.objects.filter(kind="waiting.called_off").count() == 1
        assert offer_places(at=LATER) == 0

    def test_does_nothing_twice(self, activity, paid, waiting):
        end(activity)
        end(activity, reason="Another reason", at=LATER + timedelta(hours=1))

        activity.refresh_from_db()
        assert (activity.called_off_at, activity.called_off_reason) == (LATER, REASON)
        assert (len(told()), len(refunds())) == (2, 1)
        assert OrderChange.objects.filter(field="called off").count() == 2

    def test_tells_nothing_to_who_gave_the_place_up(self, given_up):
        end(given_up.activity)

        assert told() == []

    def test_does_not_touch_another_activity(self, activity, make_activity, make_registration):
        other = make_registration(of=make_activity(slug="other"))

        end(activity)

        other.refresh_from_db()
        assert (other.status, told()) == ("PENDING", [])


class TestFinishCallingOff:
    def test_goes_on_where_a_dead_process_stopped(self, activity, monkeypatch):
        monkeypatch.setattr(module, "BATCH_SIZE", 2)
        rows = [RegistrationFactory(activity=activity, order__status="PAID") for _number in range(5)]
        with monkeypatch.context() as patch:
            self.die_after(2, patch)
            with pytest.raises(Died):
                end(activity)
        half = len(told())

        finish_calling_off(at=LATER)

        assert half == 4
        assert told() == [row.order_id for row in rows]

    def test_gives_back_money_that_was_under_way(self, activity, waiting):
        hear(event_of(waiting, COMPLETED, status="unpaid"))
        end(activity)
        before = refunds()
        hear(event_of(waiting, "checkout.session.async_payment_succeeded", at=LATER))

        finish_calling_off(at=LATER)

        assert (before, refunds(), told()) == ([], [waiting.order_id], [waiting.order_id])

    def test_tells_and_refunds_who_slipped_in_at_that_moment(self, activity):
        end(activity)
        late = RegistrationFactory(activity=activity)
        hear(event_of(late, COMPLETED))

        finish_calling_off_job()

        assert (told(), refunds()) == ([late.order_id], [late.order_id])

    def test_asks_for_nothing_that_is_on_its_way_back(self, activity, paid):
        end(activity)

        assert finish_calling_off(at=LATER) == 0
        hear(event_of(paid, REFUNDED))
        assert finish_calling_off(at=LATER) == 0
        assert len(refunds()) == 1

    def test_costs_one_query_when_all_is_done(self, activity, paid, waiting, django_assert_num_queries):
        end(activity)

        with django_assert_num_queries(1):
            finish_calling_off(at=LATER)

    @staticmethod
    def die_after(batches, patch):
        left, tell_and_refund = [True] * batches, module._tell_and_refund

        def tell_or_die(*args, **kwargs):
            if not left:
                raise Died
            left.pop()
            return tell_and_refund(*args, **kwargs)

        patch.setattr(module, "_tell_and_refund", tell_or_die)


class TestSize:
    def test_takes_statements_by_the_batch_and_not_by_the_person(
        self, activity, make_activity, django_assert_max_num_queries
    ):
        RegistrationFactory.create_batch(8, activity=activity, order__status="PAID")

        with django_assert_max_num_queries(20 + 8 * 4):
            end(activity)
        assert len(told()) == 8


class TestProspect:
    def test_counts_people_and_money_by_currency(self, activity, paid, waiting):
        Activity.objects.filter(pk=activity.pk).update(capacity=2)
        wait_for(activity, "Zoë Martin")
        dollars = RegistrationFactory(activity=ActivityFactory(currency="usd", price=1500))
        hear(event_of(dollars, COMPLETED))
        Registration.objects.filter(pk=dollars.pk).update(activity=activity)

        preview = preview_call_off(activity)

        assert (preview.people_told, preview.refunds) == (4, 2)
        assert [total.replace("\N{NO-BREAK SPACE}", " ") for total in preview.totals] == ["€49.00", "$15.00"]

    def test_does_not_count_what_has_gone_back(self, activity, paid):
        hear(event_of(paid, REFUNDED))

        assert preview_call_off(activity) == CallOffPreview(people_told=0, refunds=0, totals=[])


class TestMails:
    def mail_to(self, name):
        deliver_due(at=LATER, limit=50)
        [mail] = [mail for mail in post.outbox if mail.to == [address_of(name)] and "Called off" in mail.subject]
        return read(mail)

    def forget_earlier(self):
        Effect.objects.all().delete()

    def test_tell_who_has_paid_that_the_money_comes_back(self, activity, paid):
        self.forget_earlier()
        end(activity)

        for text in self.mail_to("Paid Person"):
            for fact in ("“Pottery” is called off", REASON, "You get back all that you have paid", paid.order.number):
                assert fact in text

    def test_tell_who_has_not_paid_to_pay_no_more(self, activity, waiting):
        end(activity)

        for text in self.mail_to("Slow Person"):
            assert "Nothing was charged. Please do not pay any more" in text

    def test_tell_who_waits_that_the_list_has_ended(self, activity, waiting):
        Activity.objects.filter(pk=activity.pk).update(capacity=1)
        wait_for(activity, "Zoë Martin")
        end(activity)

        for text in self.mail_to("Zoë Martin"):
            for fact in ("Hello Zoë Martin,", REASON, "taken off the waiting list", "April 1, 2026"):
                assert fact in text

    def test_of_a_free_activity_speak_of_no_money(self, activity, waiting):
        self.forget_earlier()
        row = RegistrationFactory(
            activity=ActivityFactory(price=0), order__status="PAID", language="en", email=address_of("Free Person")
        )
        end(row.activity)

        for text in self.mail_to("Free Person"):
            assert "Your place is canceled with it" in text
            assert "paid" not in text

    def test_are_the_only_ones_apart_from_the_refund(self, activity, paid, waiting):
        end(activity)
        post.outbox.clear()
        hear(event_of(paid, REFUNDED))

        deliver_due(at=LATER, limit=50)

        kinds = set(
            Effect.objects.filter(status="DONE", kind__startswith="registration.").values_list("kind", flat=True)
        )
        assert kinds == {"registration.called_off", "registration.refunded"}
        assert Effect.objects.get(kind="registration.closed").outcome == (
            "The activity is called off, which another e-mail tells."
        )
