"""The order fold (docs/adr/0002-order-fold.md), seen through the road."""

from datetime import timedelta
from typing import ClassVar

import pytest

from payments.effects.models import Effect
from payments.orders.models import Order, OrderChange, OrderException
from payments.statuses import OrderStatus
from tests.support.road import NOON, event_of, hear

pytestmark = pytest.mark.django_db

COMPLETED, SUCCEEDED = "checkout.session.completed", "payment_intent.succeeded"
DECLINED, EXPIRED, CANCELED = (
    "payment_intent.payment_failed",
    "checkout.session.expired",
    "payment_intent.canceled",
)


def order_of(registration) -> Order:
    return Order.objects.get(pk=registration.order_id)


def in_words(text: str) -> str:
    """The amount with spaces that tests can be written with."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def open_questions() -> list[str]:
    return sorted(OrderException.objects.filter(is_open=True).values_list("kind", flat=True))


class TestPaid:
    def test_beats_a_later_expiry(self, registration):
        hear(event_of(registration, COMPLETED, at=NOON))

        hear(event_of(registration, EXPIRED, at=NOON + timedelta(hours=1)))

        assert order_of(registration).status == OrderStatus.PAID

    def test_beats_an_expiry_that_was_heard_first(self, registration):
        hear(event_of(registration, EXPIRED, at=NOON))

        hear(event_of(registration, SUCCEEDED, at=NOON + timedelta(minutes=1)))

        order = order_of(registration)
        assert (order.status, order.paid_at) == (OrderStatus.PAID, NOON + timedelta(minutes=1))

    def test_is_dated_by_the_earliest_news(self, registration):
        hear(event_of(registration, SUCCEEDED, at=NOON + timedelta(seconds=9)))

        hear(event_of(registration, COMPLETED, at=NOON))

        assert order_of(registration).paid_at == NOON

    def test_counts_the_same_money_once(self, registration):
        hear(event_of(registration, SUCCEEDED), event_of(registration, COMPLETED))

        assert order_of(registration).amount_received == 4900

    @pytest.mark.parametrize("shape", ["2023-10-16", "current"])
    def test_is_understood_in_both_shapes(self, registration, shape):
        hear(event_of(registration, COMPLETED, shape=shape))

        assert order_of(registration).status == OrderStatus.PAID

    def test_needs_the_exact_amount(self, registration):
        hear(event_of(registration, COMPLETED, amount=4899))

        order = order_of(registration)
        assert (order.status, order.amount_received) == (OrderStatus.PENDING, 4899)
        assert open_questions() == ["AMOUNT_MISMATCH"]
        assert in_words(OrderException.objects.get(is_open=True).detail_text) == "€48.99, expected €49.00"

    def test_needs_the_right_currency(self, registration):
        hear(event_of(registration, COMPLETED, subject={"currency": "usd"}))

        assert order_of(registration).status == OrderStatus.PENDING
        assert open_questions() == ["AMOUNT_MISMATCH"]

    def test_does_not_come_from_a_session_that_asked_for_nothing(self, registration):
        hear(event_of(registration, COMPLETED, status="no_payment_required"))

        assert order_of(registration).status == OrderStatus.PENDING
        assert open_questions() == ["AMOUNT_MISMATCH"]

    def test_comes_without_money_for_what_is_free(self, make_activity, make_registration):
        registration = make_registration(of=make_activity(slug="talk", price=0))

        hear(event_of(registration, COMPLETED))

        assert order_of(registration).status == OrderStatus.PAID

    def test_does_not_come_from_a_session_of_somebody_else(self, registration):
        hear(event_of(registration, EXPIRED, subject={"session": "cs_test_ours"}))

        hear(event_of(registration, COMPLETED, subject={"session": "cs_test_theirs"}))

        assert order_of(registration).status == OrderStatus.EXPIRED
        assert open_questions() == ["UNKNOWN_SESSION"]

    def test_is_taken_back_when_the_payment_turns_out_to_be_of_another_session(self, registration):
        hear(event_of(registration, EXPIRED, subject={"session": "cs_test_ours"}))
        hear(event_of(registration, SUCCEEDED))

        hear(event_of(registration, COMPLETED, subject={"session": "cs_test_theirs"}))

        assert order_of(registration).status == OrderStatus.EXPIRED


class TestTries:
    def test_keep_the_later_one(self, registration):
        hear(event_of(registration, "payment_intent.processing", at=NOON + timedelta(seconds=2)))

        hear(event_of(registration, DECLINED, at=NOON))

        assert order_of(registration).status == OrderStatus.PROCESSING

    def test_decide_within_one_second_by_rank(self, registration):
        hear(event_of(registration, DECLINED, at=NOON))

        hear(event_of(registration, "payment_intent.requires_action", at=NOON))

        assert order_of(registration).status == OrderStatus.FAILED

    def test_keep_why_the_payment_failed(self, registration):
        hear(event_of(registration, DECLINED, decline_code="expired_card"))

        order = order_of(registration)
        assert (order.failure_code, order.failed_charge[:3]) == ("expired_card", "ch_")

    def test_stay_open_after_the_end_of_an_older_session(self, registration):
        Order.objects.filter(pk=registration.order_id).update(attempt_number=2)

        (event,) = hear(event_of(registration, EXPIRED, attempt=1))

        assert order_of(registration).status == OrderStatus.PENDING
        assert event.attempt_rows.get().changes == [{"what": "superseded", "before": "EXPIRED", "after": "PENDING"}]


class TestRefund:
    def test_of_all_the_money_makes_the_order_refunded(self, registration):
        hear(event_of(registration, COMPLETED), event_of(registration, "charge.refunded"))

        assert order_of(registration).status == OrderStatus.REFUNDED

    def test_of_a_part_leaves_it_paid(self, registration):
        hear(event_of(registration, COMPLETED), event_of(registration, "refund.created", amount=900))

        order = order_of(registration)
        assert (order.status, order.amount_refunded) == (OrderStatus.PAID, 900)

    def test_that_fails_brings_the_payment_back(self, registration):
        hear(event_of(registration, COMPLETED), event_of(registration, "charge.refunded"))

        hear(event_of(registration, "refund.failed"))

        order = order_of(registration)
        assert (order.status, order.amount_refunded) == (OrderStatus.PAID, 0)

    def test_told_by_charge_and_by_rows_counts_once(self, registration):
        hear(
            event_of(registration, COMPLETED),
            event_of(registration, "refund.created", amount=900, status="pending"),
            event_of(registration, "charge.refunded", amount=900),
        )

        assert order_of(registration).amount_refunded == 900

    def test_of_a_second_payment_leaves_the_order_paid_and_closes_the_question(self, registration):
        second = {"payment_intent": "pi_second", "charge": "ch_second", "session": ""}
        hear(event_of(registration, COMPLETED), event_of(registration, SUCCEEDED, subject=second))
        asked = open_questions()

        hear(event_of(registration, "charge.refunded", subject=second))

        assert asked == ["SECOND_PAYMENT"]
        assert open_questions() == []
        assert order_of(registration).status == OrderStatus.PAID


class TestDispute:
    def test_is_laid_over_the_order_while_it_is_open(self, registration):
        hear(event_of(registration, COMPLETED), event_of(registration, "charge.dispute.created"))

        order = order_of(registration)
        assert (order.status, order.dispute_state) == (OrderStatus.PAID, "OPEN")

    def test_that_is_won_after_it_was_lost_counts_as_won(self, registration):
        hear(event_of(registration, COMPLETED), event_of(registration, "charge.dispute.closed", status="lost"))

        hear(event_of(registration, "charge.dispute.closed", status="won", at=NOON + timedelta(days=9)))

        assert order_of(registration).dispute_state == ""

    def test_is_matched_by_its_charge_alone(self, registration):
        hear(event_of(registration, SUCCEEDED))
        dispute = event_of(registration, "charge.dispute.created")
        dispute["data"]["object"]["payment_intent"] = None

        hear(dispute)

        assert order_of(registration).dispute_state == "OPEN"

    def test_of_one_of_two_payments_leaves_the_order_undisputed(self, registration):
        second = {"payment_intent": "pi_second", "charge": "ch_second", "session": ""}
        hear(event_of(registration, COMPLETED), event_of(registration, SUCCEEDED, subject=second))

        hear(event_of(registration, "charge.dispute.closed", status="lost", subject=second))

        assert order_of(registration).dispute_state == ""


ASKED, DISPUTED, DECIDED = "warning_needs_response", "needs_response", "charge.dispute.closed"


def dispute_of(registration, status, *, days=0, **others):
    """The event about the dispute as it stands with this status."""
    return event_of(registration, "charge.dispute.updated", status=status, at=NOON + timedelta(days=days), **others)


class TestInquiry:
    """The bank only asks: no money has moved."""

    def test_leaves_the_order_and_what_was_bought_as_they_are(self, registration):
        hear(event_of(registration, COMPLETED), dispute_of(registration, ASKED))

        order = order_of(registration)
        registration.refresh_from_db()
        assert (order.status, order.dispute_state) == (OrderStatus.PAID, "INQUIRY")
        assert (registration.status, registration.holds_place) == ("PAID", True)

    def test_that_is_over_leaves_nothing_behind(self, registration):
        hear(event_of(registration, COMPLETED), dispute_of(registration, ASKED))

        hear(dispute_of(registration, "warning_closed", days=9))

        assert order_of(registration).dispute_state == ""

    @pytest.mark.parametrize("before", [[ASKED], [ASKED, "warning_under_review"], [ASKED, "warning_closed"]])
    def test_can_become_a_chargeback(self, registration, before):
        hear(event_of(registration, COMPLETED))
        hear(*(dispute_of(registration, status, days=day) for day, status in enumerate(before)))

        hear(dispute_of(registration, DISPUTED, days=9))

        registration.refresh_from_db()
        assert (order_of(registration).dispute_state, registration.status) == ("OPEN", "FAILED")

    def test_that_is_heard_late_does_not_undo_the_chargeback(self, registration):
        hear(event_of(registration, COMPLETED), dispute_of(registration, DISPUTED, days=9))

        hear(dispute_of(registration, ASKED))

        assert order_of(registration).dispute_state == "OPEN"

    def test_tells_staff_again_when_it_becomes_a_chargeback(self, registration):
        hear(event_of(registration, COMPLETED), dispute_of(registration, ASKED))
        hear(dispute_of(registration, DISPUTED, days=9))
        hear(dispute_of(registration, "lost", days=30))

        assert alerts() == ["dispute::inquiry", "dispute::chargeback", "dispute_closed::lost"]

    def test_tells_of_its_end_apart_from_that_of_the_chargeback(self, registration):
        hear(event_of(registration, COMPLETED), dispute_of(registration, ASKED))
        for day, status in enumerate(["warning_closed", DISPUTED, "won"], start=1):
            hear(dispute_of(registration, status, days=day))

        assert alerts() == [
            "dispute::inquiry", "dispute_closed::inquiry_closed", "dispute::chargeback", "dispute_closed::closed",
        ]  # fmt: skip


def alerts() -> list[str]:
    """Kind and stage of every alert, in their order."""
    keys = Effect.objects.filter(kind__startswith="alert.").order_by("pk").values_list("key", "data")
    return [key.removeprefix("alert.").replace(data["dispute"], "", 1) for key, data in keys]


class TestDeadline:
    def test_that_moves_is_told_again(self, registration):
        hear(event_of(registration, COMPLETED), dispute_of(registration, DISPUTED))

        hear(dispute_of(registration, DISPUTED, days=2), dispute_of(registration, DISPUTED, days=2))

        assert alerts() == ["dispute:", "dispute::2026-03-11"]

    def test_of_an_appeal_is_told(self, registration):
        hear(event_of(registration, COMPLETED), dispute_of(registration, "lost"))

        hear(dispute_of(registration, "appeal_needs_response", days=1))

        assert alerts() == ["dispute_closed::lost", "dispute::appeal"]
        assert order_of(registration).dispute_state == "LOST"


class TestPrevented:
    def prevented(self, registration, *amounts, days=0):
        told = dispute_of(registration, "prevented", days=days)
        told["data"]["object"]["balance_transactions"] = [{"amount": amount} for amount in amounts]
        told["data"]["object"]["payment_method_details"]["card"]["case_type"] = "block"
        return told

    def test_takes_nothing_where_no_money_moved(self, registration):
        hear(event_of(registration, COMPLETED), self.prevented(registration))

        assert order_of(registration).dispute_state == ""

    def test_is_lost_where_our_balance_paid_for_it(self, registration):
        hear(event_of(registration, COMPLETED), self.prevented(registration, -4900))

        order = order_of(registration)
        assert (order.dispute_state, order.payments.get().lost) == ("LOST", 4900)

    @pytest.mark.parametrize("is_reversed", [False, True])
    def test_is_lost_whichever_is_heard_first(self, registration, is_reversed):
        told = [self.prevented(registration), self.prevented(registration, -4900, days=1)]
        hear(event_of(registration, COMPLETED))

        for event in reversed(told) if is_reversed else told:
            hear(event)

        assert order_of(registration).dispute_state == "LOST"


class TestPartOfTheMoney:
    """A dispute over a part changes neither status nor access: staff decide."""

    @pytest.mark.parametrize(
        ("status", "told"),
        [
            (DISPUTED, "€9.00 of €49.00: the bank holds this part until it has decided."),
            ("lost", "€9.00 of €49.00: this part is lost."),
        ],
    )
    def test_is_a_question_for_staff(self, registration, status, told):
        hear(event_of(registration, COMPLETED), dispute_of(registration, status, amount=900))

        order = order_of(registration)
        registration.refresh_from_db()
        assert (order.status, order.dispute_state, registration.status) == (OrderStatus.PAID, "", "PAID")
        assert registration.holds_place
        assert open_questions() == ["PARTLY_DISPUTED"]
        assert in_words(OrderException.objects.get(is_open=True).detail_text) == told

    def test_that_is_won_asks_nothing_any_more(self, registration):
        hear(event_of(registration, COMPLETED), dispute_of(registration, DISPUTED, amount=900))

        hear(dispute_of(registration, "won", amount=900, days=9))

        assert open_questions() == []

    def test_is_no_longer_here_when_it_is_lost(self, registration):
        hear(event_of(registration, COMPLETED), dispute_of(registration, "lost", amount=900))

        order = order_of(registration)
        assert in_words(order.here_text) == "€40.00"
        assert in_words(order.lost_text) == "€9.00"

    def test_is_the_whole_when_nothing_else_is_left(self, registration):
        refund = event_of(registration, "refund.created", amount=4000)

        hear(event_of(registration, COMPLETED), refund, dispute_of(registration, "lost", amount=900))

        assert order_of(registration).dispute_state == "LOST"
        assert open_questions() == []

    def test_and_another_part_are_the_whole(self, registration):
        first = dispute_of(registration, "lost", amount=900)

        hear(event_of(registration, COMPLETED), first, dispute_of(registration, "lost", amount=4000, number=2))

        assert order_of(registration).dispute_state == "LOST"

    def test_in_another_currency_is_for_staff_to_compare(self, registration):
        hear(event_of(registration, COMPLETED))

        hear(dispute_of(registration, "lost", subject={"currency": "usd"}))

        assert order_of(registration).dispute_state == ""
        assert open_questions() == ["PARTLY_DISPUTED"]

    def test_more_than_was_paid_is_the_whole(self, registration):
        hear(event_of(registration, COMPLETED), dispute_of(registration, "lost", amount=5100))

        order = order_of(registration)
        assert (order.dispute_state, order.payments.get().lost) == ("LOST", 4900)


class TestLostMoney:
    def test_that_paid_twice_is_no_question_any_more(self, registration):
        second = {"payment_intent": "pi_second", "charge": "ch_second", "session": ""}
        hear(event_of(registration, COMPLETED), event_of(registration, SUCCEEDED, subject=second))

        hear(event_of(registration, DECIDED, status="lost", subject=second))

        assert open_questions() == []

    def test_comes_back_when_the_dispute_is_won_late(self, registration):
        hear(event_of(registration, COMPLETED), dispute_of(registration, "lost"))

        hear(dispute_of(registration, "won", days=9))

        assert order_of(registration).payments.get().lost == 0


class TestCurrencies:
    """Amounts of two currencies are never added."""

    FOREIGN: ClassVar = {"payment_intent": "pi_usd", "charge": "ch_usd", "session": "", "currency": "usd"}

    def test_counts_only_its_own(self, registration):
        hear(event_of(registration, SUCCEEDED, subject=self.FOREIGN, amount=3000))

        order = order_of(registration)
        assert (order.status, order.amount_received) == (OrderStatus.PENDING, 0)
        assert in_words(order.received_text) == "$30.00"
        assert in_words(OrderException.objects.get(is_open=True).detail_text) == "$30.00, expected €49.00"

    def test_shows_each_for_itself(self, registration):
        hear(event_of(registration, COMPLETED), event_of(registration, SUCCEEDED, subject=self.FOREIGN, amount=3000))

        order = order_of(registration)
        assert (order.amount_received, in_words(order.here_text)) == (4900, "€49.00 + $30.00")

    def test_is_not_refunded_while_money_of_another_is_left(self, registration):
        hear(event_of(registration, COMPLETED), event_of(registration, SUCCEEDED, subject=self.FOREIGN, amount=3000))

        hear(event_of(registration, "refund.created"))
        before = order_of(registration)
        hear(event_of(registration, "refund.created", subject=self.FOREIGN, amount=3000, number=2))
        order = order_of(registration)

        assert (before.status, before.amount_refunded) == (OrderStatus.PAID, 4900)
        assert (order.status, in_words(order.refunded_text)) == (OrderStatus.REFUNDED, "€49.00 + $30.00")

    def test_takes_the_amount_with_its_currency(self, registration):
        dollars = {"currency": "usd"}

        hear(event_of(registration, SUCCEEDED, subject=dollars, amount=3000), event_of(registration, COMPLETED))

        payment = order_of(registration).payments.get()
        assert (payment.received, payment.currency) == (3000, "usd")

    def test_does_not_count_a_refund_in_another(self, registration):
        hear(event_of(registration, COMPLETED))

        hear(event_of(registration, "refund.created", subject={"currency": "usd"}, amount=900))

        assert order_of(registration).amount_refunded == 0


class TestRefundAlerts:
    """One for each stage that asks something of staff."""

    def told(self, registration, status, *, days=0, **fields):
        event = event_of(registration, "refund.updated", status=status, amount=900, at=NOON + timedelta(days=days))
        event["data"]["object"] |= fields
        return event

    def kinds(self):
        return list(Effect.objects.filter(kind__startswith="alert.").order_by("pk").values_list("kind", flat=True))

    def test_tell_that_our_balance_does_not_suffice_and_that_it_failed_in_the_end(self, registration):
        hear(event_of(registration, COMPLETED))
        hear(self.told(registration, "pending", pending_reason="insufficient_funds"))

        hear(self.told(registration, "failed", days=9))

        assert self.kinds() == ["alert.refund_waits", "alert.refund_failed"]

    @pytest.mark.parametrize("reason", ["processing", "charge_pending", None])
    def test_tell_nothing_of_what_is_on_its_way(self, registration, reason):
        hear(event_of(registration, COMPLETED), self.told(registration, "pending", pending_reason=reason))

        assert self.kinds() == []

    def test_tell_of_one_that_was_canceled(self, registration):
        hear(event_of(registration, COMPLETED), self.told(registration, "canceled"))

        assert self.kinds() == ["alert.refund_failed"]


class TestUnknownWords:
    """They never become a harmless default: the event waits, and says which word it is."""

    @pytest.mark.parametrize(
        ("event_type", "status"),
        [("charge.dispute.updated", "sorcery"), ("refund.updated", "sorcery"), (COMPLETED, "sorcery")],
    )
    def test_keep_the_event_waiting(self, registration, event_type, status):
        hear(event_of(registration, SUCCEEDED))

        [row] = hear(event_of(registration, event_type, status=status, amount=900))

        order = order_of(registration)
        assert (row.status, "is “sorcery”, which is unknown to us" in row.error) == ("FAILED", True)
        assert (order.dispute_state, order.amount_refunded) == ("", 0)


class TestHistory:
    def test_names_the_event_behind_each_change(self, registration):
        (event,) = hear(event_of(registration, COMPLETED))

        change = OrderChange.objects.get(order_id=registration.order_id, field="status")
        assert (change.before, change.after, change.event) == ("PENDING", "PAID", event)

    def test_does_not_grow_when_nothing_changes(self, registration):
        hear(event_of(registration, COMPLETED))
        before = OrderChange.objects.count()

        hear(event_of(registration, COMPLETED))

        assert OrderChange.objects.count() == before
