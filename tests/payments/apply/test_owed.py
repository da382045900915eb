"""What was promised back and refused stays owed: tried again when its reason is gone, on the desk until it is done."""

from datetime import timedelta

import pytest

from payments.apply.undelivered import look_after_undelivered
from payments.effects.deliver import BACK_OFF
from payments.effects.models import Effect
from payments.orders.models import OrderException
from payments.refunds.again import refund_again
from payments.refunds.staff_refunds import DecisionRefused, dismiss
from payments.statuses import EffectStatus
from payments.stripe_api.gateway import GatewayRefused
from tests.support.factories import make_staff
from tests.support.refunds import LATER, ask, deliver_refunds, fake_refunds, pay
from tests.support.road import event_of, hear

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
DISPUTED = {"code": "charge_disputed", "message": "Charge ch_1 has been charged back; cannot issue a refund."}
NO_BALANCE = {"code": "balance_insufficient", "message": "Insufficient funds in your Stripe balance."}


@pytest.fixture
def stripe():
    with fake_refunds() as fake:
        yield fake


@pytest.fixture
def order(registration):
    return pay(registration)


def owed():
    return list(OrderException.objects.filter(kind="REFUND_OWED").order_by("pk").values_list("subject", "is_open"))


def question():
    return OrderException.objects.get(kind="REFUND_OWED")


def refused(stripe, order, refusal, *, times=1, **wanted):
    """Asked for and refused so many times. Returns the effect, and the moment after the last try."""
    [effect] = ask(order, **wanted)
    at = LATER
    for pause in (*BACK_OFF, timedelta(0))[:times]:
        stripe.will(GatewayRefused(**refusal))
        deliver_refunds(at=at)
        at += pause
    effect.refresh_from_db()
    return effect, at


class TestRefusedRefund:
    def test_is_a_question_at_once_with_amount_person_and_stripes_words(self, stripe, order):
        effect, _at = refused(stripe, order, NO_BALANCE, amount=1000)

        assert owed() == [(effect.key, True)]
        told = question().detail_text.replace("\N{NO-BREAK SPACE}", " ")
        assert (question().order, "€10.00" in told, order.email in told) == (order, True, True)
        assert "Insufficient funds in your Stripe balance." in told

    def test_closes_when_stripe_makes_it_after_all(self, stripe, order):
        effect, at = refused(stripe, order, NO_BALANCE)

        deliver_refunds(at=at)

        assert owed() == [(effect.key, False)]
        assert len(stripe.refunds) == 1

    def test_is_asked_for_as_something_new_each_time(self, stripe, order, monkeypatch):
        keys = []
        give_back = stripe._give_back
        monkeypatch.setattr(stripe, "_give_back", lambda params, key: keys.append(key) or give_back(params, key=key))
        effect, at = refused(stripe, order, NO_BALANCE)

        deliver_refunds(at=at)

        assert keys == [f"{effect.key}:1"]

    def test_is_tried_again_every_day_once_it_was_given_up(self, stripe, order):
        effect, at = refused(stripe, order, NO_BALANCE, times=len(BACK_OFF) + 1)
        assert effect.status == EffectStatus.DEAD

        assert look_after_undelivered(at=at + DAY - timedelta(minutes=1)) == 0
        assert look_after_undelivered(at=at + DAY) == 1
        deliver_refunds(at=at + DAY)

        assert (len(stripe.refunds), owed()) == (1, [(effect.key, False)])

    def test_waits_for_the_bank_and_is_made_at_once_when_the_dispute_is_won(self, stripe, registration, order):
        hear(event_of(registration, "charge.dispute.created"))
        effect, at = refused(stripe, order, DISPUTED, times=len(BACK_OFF) + 1)
        assert look_after_undelivered(at=at + 2 * DAY) == 0

        hear(event_of(registration, "charge.dispute.closed", status="won", at=at + 3 * DAY), at=at + 3 * DAY)
        deliver_refunds(at=at + 3 * DAY)

        assert (len(stripe.refunds), owed()) == (1, [(effect.key, False)])

    def test_is_owed_no_more_when_the_bank_has_given_the_money_back(self, stripe, registration, order):
        hear(event_of(registration, "charge.dispute.created"))
        effect, at = refused(stripe, order, DISPUTED, times=len(BACK_OFF) + 1)

        hear(event_of(registration, "charge.dispute.closed", status="lost", at=at), at=at)

        assert owed() == [(effect.key, False)]
        assert look_after_undelivered(at=at + 2 * DAY) == 0

    def test_is_owed_no_more_at_once_when_a_charge_tells_that_all_went_back(self, stripe, registration, order):
        effect, at = refused(stripe, order, NO_BALANCE, amount=1000)

        hear(event_of(registration, "charge.refunded", at=at), at=at)

        assert owed() == [(effect.key, False)]

    def test_is_not_made_twice_when_somebody_has_made_it_in_the_dashboard(self, stripe, registration, order):
        effect, at = refused(stripe, order, NO_BALANCE, times=len(BACK_OFF) + 1, amount=1000)

        hear(event_of(registration, "refund.created", amount=1000, at=at + DAY), at=at + DAY)
        look_after_undelivered(at=at + 2 * DAY)
        deliver_refunds(at=at + 2 * DAY)

        effect.refresh_from_db()
        assert (stripe.refunds, effect.status, owed()) == ([], EffectStatus.SKIPPED, [(effect.key, False)])

    def test_is_not_made_twice_when_staff_have_asked_for_the_same_anew(self, stripe, order):
        effect, at = refused(stripe, order, NO_BALANCE, times=len(BACK_OFF) + 1, amount=1000)

        ask(order, key="anew", amount=1000, at=at + DAY)
        deliver_refunds(at=at + DAY)
        look_after_undelivered(at=at + 3 * DAY)
        deliver_refunds(at=at + 3 * DAY)

        assert [refund["amount"] for refund in stripe.refunds] == [1000]
        assert owed() == [(effect.key, False)]

    def test_of_two_that_are_owed_the_one_settles_not_the_other(self, stripe, order):
        first, at = refused(stripe, order, NO_BALANCE, times=len(BACK_OFF) + 1, amount=1000, key="first")
        second, _at = refused(stripe, order, NO_BALANCE, amount=1000, key="second")

        deliver_refunds(at=at + DAY / 2)

        assert sorted(owed()) == sorted([(first.key, True), (second.key, False)])

    def test_is_tried_no_more_when_staff_have_decided(self, stripe, order):
        _effect, at = refused(stripe, order, NO_BALANCE)

        dismiss(exception=question(), reason="paid by cheque", by=make_staff(), at=at)
        look_after_undelivered(at=at + 2 * DAY)
        deliver_refunds(at=at + 2 * DAY)

        assert stripe.refunds == []


class TestFailedRefund:
    @pytest.fixture
    def effect(self, stripe, order):
        """Made at Stripe, and heard of."""
        [effect] = ask(order, amount=1000)
        deliver_refunds()
        effect.refresh_from_db()
        return effect

    def fail(self, registration, effect, status, **variation):
        event = event_of(registration, "refund.failed", amount=1000, status=status, at=LATER, **variation)
        event["data"]["object"]["id"] = effect.data["refund"] if effect else "re_elsewhere"
        hear(event, at=LATER)

    @pytest.mark.parametrize("status", ["failed", "canceled"])
    def test_is_still_owed(self, registration, effect, status):
        self.fail(registration, effect, status)

        assert owed() == [(effect.key, True)]

    def test_is_made_anew_by_one_button(self, stripe, registration, effect):
        self.fail(registration, effect, "failed")
        stripe.refunds[0]["status"] = "failed"

        refund_again(exception=question(), reason="new card", by="kim", at=LATER)
        deliver_refunds(at=LATER)

        assert [refund["status"] for refund in stripe.refunds] == ["failed", "succeeded"]
        assert owed() == [(effect.key, False)]

    def test_that_nobody_here_asked_for_is_owed_as_well(self, stripe, registration, order):
        self.fail(registration, None, "failed")
        assert owed() == [("re_elsewhere", True)]

        refund_again(exception=question(), reason="new card", by="kim", at=LATER + DAY)
        deliver_refunds(at=LATER + DAY)

        assert [refund["amount"] for refund in stripe.refunds] == [1000]
        assert owed() == [("re_elsewhere", False)]


class TestRefundAgain:
    def test_asks_stripe_at_once(self, stripe, order):
        effect, at = refused(stripe, order, NO_BALANCE, times=len(BACK_OFF) + 1)

        refund_again(exception=question(), reason="topped up", by="kim", at=at)
        deliver_refunds(at=at)

        assert (len(stripe.refunds), owed()) == (1, [(effect.key, False)])
        assert order.changes.filter(field="again", after="topped up", source="kim").exists()

    def test_is_refused_where_nothing_is_owed_any_more(self, stripe, registration, order):
        refused(stripe, order, NO_BALANCE)
        asked = question()
        Effect.objects.filter(kind="refund").update(status=EffectStatus.SKIPPED)

        with pytest.raises(DecisionRefused):
            refund_again(exception=asked, reason="again", by="kim", at=LATER)
