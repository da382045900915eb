"""Late money (docs/adr/0007): it finds a place, or goes back by itself, or a person is asked; never two of these."""

import pytest

from payments.effects.models import Effect
from payments.orders.models import OrderException
from payments.statuses import EffectStatus
from registrations.models import Activity, LateMoney, Registration
from registrations.services.waiting_list import seat_waiting
from tests.support.mails import deliver, html_of, sent
from tests.support.refunds import LATER, pay
from tests.support.road import NOON, event_of, hear

pytestmark = pytest.mark.django_db


@pytest.fixture
def tiny(make_activity) -> Activity:
    """One place, and money that comes too late goes back."""
    return make_activity(slug="tiny", capacity=1, late_money=LateMoney.REFUND)


@pytest.fixture
def late(tiny, make_registration) -> Registration:
    """Their session has expired."""
    row = make_registration("Late Payer", of=tiny)
    hear(event_of(row, "checkout.session.expired"))
    return row


@pytest.fixture
def holder(late, tiny, make_registration) -> Registration:
    """Somebody else has the place."""
    return make_registration("Alex Smith", of=tiny)


def refunds(row: Registration) -> list[Effect]:
    return list(Effect.objects.filter(order=row.order_id, kind="refund").order_by("pk"))


def kinds(row: Registration) -> list[str]:
    return sorted(Effect.objects.filter(order=row.order_id).values_list("kind", flat=True))


def stands(row: Registration) -> tuple[bool, bool]:
    """Holds a place, waits for one."""
    row.refresh_from_db()
    return row.holds_place, row.waits_since is not None


class TestMoneyThatComesTooLate:
    def test_takes_the_place_that_is_free(self, late):
        pay(late)

        assert (stands(late), refunds(late)) == ((True, False), [])

    def test_is_asked_back_with_a_key_of_its_own(self, late, holder):
        pay(late)

        [effect] = refunds(late)
        assert (effect.status, effect.data["amount"]) == (EffectStatus.PENDING, None)
        assert effect.key == f"refund:{late.order.public_id}:late:{late.order.payments.get().pk}"

    def test_is_asked_back_once_however_often_it_is_told(self, late, holder):
        pay(late)
        hear(event_of(late, "payment_intent.succeeded"))
        pay(late)

        assert len(refunds(late)) == 1
        assert kinds(late).count("registration.no_place") == 1

    def test_leaves_time_for_the_mail_that_tells_of_it(self, late, holder):
        pay(late)

        [effect] = refunds(late)
        mail = Effect.objects.get(kind="registration.no_place")
        assert mail.not_before < effect.not_before

    def test_stays_on_the_desk_until_it_has_gone_back(self, late, holder):
        pay(late)
        question = OrderException.objects.get()
        assert question.is_open

        hear(event_of(late, "refund.created"))

        question.refresh_from_db()
        assert not question.is_open
        assert "registration.refunded" in kinds(late)

    def test_goes_back_when_the_person_holds_another_place(self, tiny, make_registration):
        first = make_registration(of=tiny)
        hear(event_of(first, "checkout.session.expired"))
        again = make_registration(of=tiny)
        Activity.objects.filter(pk=tiny.pk).update(capacity=2)

        hear(event_of(first, "checkout.session.completed"), event_of(again, "checkout.session.completed"))

        assert (stands(first), stands(again)) == ((False, False), (True, False))
        assert (len(refunds(first)), refunds(again)) == (1, [])

    def test_of_a_second_payment_goes_back_too(self, late, holder):
        pay(late)
        pay(late, payment="pi_second")

        assert {effect.data["payment"] for effect in refunds(late)} == set(
            late.order.payments.values_list("key", flat=True)
        )
        assert len(refunds(late)) == 2

    def test_is_left_to_staff_where_the_activity_wants_that(self, late, holder, tiny):
        Activity.objects.update(late_money=LateMoney.ASK)

        pay(late)

        assert (stands(late), refunds(late)) == ((False, True), [])
        assert OrderException.objects.get().is_open

    def test_that_waits_for_an_answer_does_not_go_back_when_the_policy_changes(self, late, holder):
        Activity.objects.update(late_money=LateMoney.ASK)
        pay(late)
        Activity.objects.update(late_money=LateMoney.REFUND)

        hear(event_of(late, "payment_intent.succeeded"))

        assert (stands(late), refunds(late)) == ((False, True), [])


class TestWhoeverGetsTheMoneyBack:
    def test_is_not_called_when_a_place_becomes_free(self, late, holder, tiny):
        pay(late)

        hear(event_of(holder, "checkout.session.expired"))

        assert (stands(late), seat_waiting(at=LATER)) == ((False, False), 0)
        tiny.refresh_from_db()
        assert tiny.places_taken == 0

    @pytest.mark.parametrize("status", ["PENDING", "CLAIMED", "DONE", "DEAD"])
    def test_gets_no_place_whatever_is_told_again(self, late, holder, status):
        pay(late)
        Effect.objects.filter(kind="refund").update(status=status)
        hear(event_of(holder, "checkout.session.expired"))

        hear(event_of(late, "payment_intent.succeeded"))

        assert stands(late) == (False, False)

    def test_asks_for_a_place_again_when_the_bank_sends_the_money_back(self, late, holder):
        pay(late)
        event = event_of(late, "refund.failed", status="failed")
        [effect] = refunds(late)
        done = {"status": EffectStatus.DONE, "data": {**effect.data, "refund": event["data"]["object"]["id"]}}
        Effect.objects.filter(pk=effect.pk).update(**done)

        hear(event_of(late, "refund.created"), event)
        assert (stands(late), len(refunds(late))) == ((False, True), 1)

        hear(event_of(holder, "checkout.session.expired"))
        assert stands(late) == (True, False)


class TestActivityThatIsCalledOff:
    def test_seats_nobody(self, late, tiny):
        Activity.objects.filter(pk=tiny.pk).update(called_off_at=NOON)

        pay(late)

        assert stands(late) == (False, False)


class TestMailAboutNoPlace:
    def tell(self, row: Registration) -> list[str]:
        """What the buyer reads, plain and HTML."""
        Effect.objects.filter(kind="registration.no_place").delete()
        deliver("t:1", kind="registration.no_place", order_id=row.order_id, registration=row.pk)
        return [str(sent().body), html_of(sent())]

    def test_promises_the_money_where_it_goes_back(self, late, holder):
        pay(late)
        Registration.objects.filter(pk=late.pk).update(language="en")

        for text in self.tell(late):
            assert "You get all of your money back: the refund is on its way" in text
            assert "place becomes free for you" not in text

    def test_promises_one_of_both_where_staff_decide(self, late, holder):
        Activity.objects.update(late_money=LateMoney.ASK)
        pay(late)
        Registration.objects.filter(pk=late.pk).update(language="en")

        for text in self.tell(late):
            assert "either a place becomes free for you, or you get all of it back" in text
            assert "on its way" not in text
