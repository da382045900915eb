"""What staff decide about money happens once, with a reason, or is refused with one."""

import pytest

from payments.effects.models import Effect
from payments.orders.models import Order, OrderException
from payments.refunds.refund import RefundTooLarge
from payments.refunds.staff_refunds import (
    WITHDRAWN,
    DecisionRefused,
    dismiss,
    give_place,
    preview_refund,
    refund_exception,
    refund_order,
)
from payments.statuses import EffectStatus, ExceptionKind
from registrations.models import Activity, Registration
from tests.support.factories import make_staff
from tests.support.refunds import LATER, ask, deliver_refunds, fake_refunds, pay
from tests.support.road import NOON, event_of, hear

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(registration) -> Order:
    return pay(registration)


@pytest.fixture
def late(make_activity, make_registration) -> Registration:
    """Paid when somebody else had the last place; staff are to be asked."""
    tiny = make_activity(slug="tiny", capacity=1)
    row = make_registration("Late Payer", of=tiny)
    hear(event_of(row, "checkout.session.expired"))
    make_registration("Alex Smith", of=tiny)
    pay(row)
    return row


@pytest.fixture
def question(late) -> OrderException:
    return OrderException.objects.get(is_open=True)


def press(order: Order, *, amount: int | None = None, shown: str = "", reason: str = "kindness") -> list[str]:
    shown = shown or str(preview_refund(order)[0])
    return refund_order(order_id=order.pk, amount=amount, reason=reason, by="ada@example.com", shown=shown, at=LATER)


def refund(question: OrderException) -> list[str]:
    return refund_exception(exception=question, reason="no place", by="ada@example.com", at=LATER)


def seat(question: OrderException) -> None:
    give_place(exception=question, reason="a chair was found", by="ada@example.com", at=LATER)


def refunds() -> list[dict[str, object]]:
    return list(Effect.objects.filter(kind="refund").order_by("pk").values_list("data", flat=True))


class TestRefundOrder:
    def test_asks_for_everything_or_a_part_with_reason_and_name(self, order):
        press(order, amount=900)
        press(order)

        assert [(asked["amount"], asked["reason"], asked["by"]) for asked in refunds()] == [
            (900, "kindness", "ada@example.com"),
            (None, "kindness", "ada@example.com"),
        ]

    def test_pressed_twice_happens_once(self, order):
        shown = str(preview_refund(order)[0])

        first, second = press(order, amount=900, shown=shown), press(order, amount=900, shown=shown)

        assert (len(first), second, len(refunds())) == (1, [], 1)

    def test_is_refused_when_something_else_has_happened_since(self, registration, order):
        shown = str(preview_refund(order)[0])
        hear(event_of(registration, "refund.created", amount=900))

        with pytest.raises(DecisionRefused, match=order.number):
            press(order, shown=shown)

        assert refunds() == []

    def test_can_be_asked_for_again_when_it_was_given_up(self, order):
        press(order)
        Effect.objects.filter(kind="refund").update(status=EffectStatus.DEAD)

        assert len(press(order)) == 1

    @pytest.mark.parametrize("reason", ["", "  "])
    def test_needs_a_reason(self, order, reason):
        with pytest.raises(DecisionRefused, match="reason"):
            press(order, reason=reason)

    def test_refuses_more_than_there_is(self, order):
        with pytest.raises(RefundTooLarge):
            press(order, amount=4901)

    def test_refuses_what_is_on_its_way_already(self, order):
        press(order)

        with pytest.raises(DecisionRefused, match="Nothing is left"):
            press(order)

    @pytest.mark.parametrize("shown", ["", "x", "0", ":", "0:4901", "-1:4900"])
    def test_trusts_no_sign_but_its_own(self, order, shown):
        with pytest.raises(DecisionRefused):
            refund_order(order_id=order.pk, amount=None, reason="x", by="x", shown=shown, at=LATER)

        assert refunds() == []

    def test_leaves_the_place_until_the_money_has_gone_back(self, registration, order):
        press(order)

        registration.refresh_from_db()
        assert registration.holds_place


class TestRefundException:
    def test_asks_back_all_that_was_paid_for_no_place(self, late, question):
        refund(question)

        assert [asked["amount"] for asked in refunds()] == [None]
        question.refresh_from_db()
        assert question.is_open

    def test_lets_nobody_have_a_place_as_well(self, late, question):
        refund(question)
        Activity.objects.filter(pk=late.activity_id).update(capacity=2)

        hear(event_of(late, "payment_intent.succeeded"))

        late.refresh_from_db()
        assert (late.waits_since, late.holds_place) == (None, False)

    def test_closes_the_question_when_stripe_says_so(self, late, question):
        refund(question)
        hear(event_of(late, "refund.created"))

        question.refresh_from_db()
        assert (question.is_open, question.closed_by) == (False, None)

    def test_happens_once(self, question):
        refund(question)

        with pytest.raises(DecisionRefused, match="asked for already"):
            refund(question)

    def test_gives_back_only_the_payment_that_is_one_too_many(self, registration):
        pay(registration)
        pay(registration, payment="pi_second", at=LATER)
        question = OrderException.objects.get(kind=ExceptionKind.SECOND_PAYMENT)

        refund(question)

        [asked] = refunds()
        assert (asked["payment"], asked["is_duplicate"]) == (question.subject, True)

    def test_is_refused_where_no_order_is_known(self):
        unknown = OrderException.objects.create(kind=ExceptionKind.UNKNOWN_ORDER, subject="evt_1", opened_at=NOON)

        with pytest.raises(DecisionRefused, match="Stripe Dashboard"):
            refund(unknown)

    def test_is_refused_when_the_question_is_closed(self, late, question):
        Activity.objects.filter(pk=late.activity_id).update(capacity=2)
        seat(question)

        with pytest.raises(DecisionRefused, match="closed already"):
            refund(question)


class TestGivePlace:
    def test_seats_who_paid_and_closes_the_question(self, late, question):
        Activity.objects.filter(pk=late.activity_id).update(capacity=2)

        seat(question)

        late.refresh_from_db()
        question.refresh_from_db()
        assert (late.holds_place, question.is_open) == (True, False)
        [change] = late.order.changes.filter(field="place", after="held")
        assert change.source == "ada@example.com: a chair was found"

    def test_is_refused_while_none_is_free(self, late, question):
        with pytest.raises(DecisionRefused, match="No place is free"):
            seat(question)

        late.refresh_from_db()
        assert late.waits_since

    @pytest.mark.parametrize("status", ["PENDING", "CLAIMED", "DONE"])
    def test_is_refused_while_the_money_may_be_leaving(self, late, question, status):
        refund(question)
        Effect.objects.filter(kind="refund").update(status=status)
        Activity.objects.filter(pk=late.activity_id).update(capacity=2)

        with pytest.raises(DecisionRefused, match="under way"):
            seat(question)

        late.refresh_from_db()
        assert not late.holds_place

    def test_withdraws_a_refund_that_was_given_up(self, late, question):
        refund(question)
        Effect.objects.filter(kind="refund").update(status=EffectStatus.DEAD, outcome="refused")
        Activity.objects.filter(pk=late.activity_id).update(capacity=2)

        seat(question)

        late.refresh_from_db()
        assert late.holds_place
        assert Effect.objects.get(kind="refund").outcome == WITHDRAWN

    def test_is_refused_for_another_question(self, registration):
        pay(registration)
        pay(registration, payment="pi_second")

        with pytest.raises(DecisionRefused, match="no question of a place"):
            seat(OrderException.objects.get())


class TestDismiss:
    def test_closes_the_question_for_good_and_keeps_who_and_why(self, late, question):
        staff = make_staff()

        dismiss(exception=question, reason=" settled by phone ", by=staff, at=LATER)
        hear(event_of(late, "payment_intent.succeeded"))

        question.refresh_from_db()
        assert (question.is_open, question.closed_by, question.closed_at) == (False, staff, LATER)
        assert question.closed_reason == "settled by phone"
        assert refunds() == []

    def test_is_refused_when_it_is_closed(self, question):
        staff = make_staff()
        dismiss(exception=question, reason="done", by=staff, at=LATER)

        with pytest.raises(DecisionRefused, match="closed already"):
            dismiss(exception=question, reason="again", by=staff, at=LATER)

        question.refresh_from_db()
        assert question.closed_reason == "done"

    def test_needs_a_reason(self, question):
        with pytest.raises(DecisionRefused, match="reason"):
            dismiss(exception=question, reason=" ", by=make_staff(), at=LATER)


class TestTheWholeWay:
    def test_of_a_question_ends_with_one_refund_and_a_closed_question(self, late, question):
        with fake_refunds() as stripe:
            refund(question)
            deliver_refunds()
            hear(event_of(late, "refund.created"))

        assert [row["amount"] for row in stripe.refunds] == [4900]
        late.order.refresh_from_db()
        question.refresh_from_db()
        assert (late.order.status, question.is_open) == ("REFUNDED", False)
        assert ask(late.order, key="again") == []
