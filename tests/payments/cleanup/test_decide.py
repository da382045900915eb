"""Settling one order whose time is over: nobody loses a place that is paid or can still be paid."""

from datetime import datetime, timedelta

import pytest
from django.db import transaction

from payments.checkout.open_checkout import open_checkout
from payments.cleanup import decide as decisions
from payments.cleanup.cleanup import Decision, Verdict, clean_up_order
from payments.cleanup.closing import overdue
from payments.effects.models import Effect
from payments.orders.models import Order, OrderException
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.stripe_api.lookups import ThrottledStripe
from registrations.models import Registration
from tests.support.fake_gateway import refused, unavailable
from tests.support.road import NOON, event_of, hear
from tests.support.stripe_moods import FAILED_INTENT

SOON = NOON + timedelta(minutes=30)
LATER = NOON + timedelta(minutes=32)
NEXT_DAY = NOON + timedelta(hours=25)


def settle(order: Order, *, at: datetime = LATER, **more) -> Decision:
    return clean_up_order(order_id=order.pk, at=at, stripe=ThrottledStripe(calls_per_second=10_000), **more)


def state_of(order: Order) -> tuple[str, bool]:
    return Registration.objects.values_list("order__status", "holds_place").get(order=order)


def history_of(order: Order) -> list[tuple[str, str]]:
    return list(order.changes.filter(field="clean-up").order_by("id").values_list("before", "after"))


def is_overdue(order: Order, *, at: datetime) -> bool:
    return overdue(at=at).filter(pk=order.pk).exists()


@pytest.mark.usefixtures("db")
class TestCleanUpOrder:
    def test_closes_an_order_that_nobody_began_to_pay(self, stripe, order):
        decision = settle(order)

        assert (decision.verdict, decision.reason) == (Verdict.CLOSED, decisions.NEVER_OPENED)
        assert (state_of(order), stripe.calls) == (("EXPIRED", False), {})

    def test_ends_an_open_session_at_stripe_before_it_frees_the_place(self, stripe, order):
        open_checkout(order_id=order.pk, at=NOON)
        stripe.before_expire = lambda: seen.append(state_of(order))
        seen: list[tuple[str, bool]] = []

        decision = settle(order)

        assert (decision.reason, stripe.sessions["cs_test_1"]["status"]) == (decisions.ENDED, "expired")
        assert (seen, state_of(order)) == ([("PENDING", True)], ("EXPIRED", False))

    def test_closes_an_order_whose_session_has_expired(self, stripe, order):
        open_checkout(order_id=order.pk, at=NOON)
        stripe.becomes("cs_test_1", status="expired")

        assert settle(order).reason == decisions.HAD_EXPIRED
        assert state_of(order) == ("EXPIRED", False)

    def test_closes_an_order_whose_session_stripe_does_not_know(self, stripe, order):
        open_checkout(order_id=order.pk, at=NOON)
        stripe.sessions.clear()

        assert settle(order).reason == decisions.NOT_KNOWN
        assert state_of(order) == ("EXPIRED", False)

    def test_confirms_what_was_paid_unheard(self, stripe, order):
        open_checkout(order_id=order.pk, at=NOON)
        stripe.is_paid("cs_test_1")

        decision = settle(order)

        assert (decision.verdict, state_of(order)) == (Verdict.CONFIRMED, ("PAID", True))
        assert decision.new_references == {"pi_cs_test_1"}
        assert Effect.objects.get(order=order).kind == "registration.confirmed"

    def test_ends_where_the_events_would_have_led(self, stripe, registration):
        open_checkout(order_id=registration.order_id, at=NOON)
        stripe.is_paid("cs_test_1")
        settle(registration.order)

        subject = {"session": "cs_test_1", "payment_intent": "pi_cs_test_1"}
        hear(event_of(registration, "checkout.session.completed", at=SOON, subject=subject), at=LATER)

        order = Order.objects.get(pk=registration.order_id)
        assert (order.status, order.amount_received, order.paid_at) == ("PAID", 4900, SOON)
        assert Effect.objects.filter(order=order).count() == 1

    def test_looks_again_when_it_was_paid_in_the_very_moment_of_its_end(self, stripe, order):
        open_checkout(order_id=order.pk, at=NOON)
        stripe.before_expire = lambda: stripe.is_paid("cs_test_1")

        assert settle(order).verdict == Verdict.CONFIRMED
        assert state_of(order) == ("PAID", True)

    @pytest.mark.parametrize("status", ["open", "complete"])
    def test_keeps_an_order_whose_payment_is_under_way(self, stripe, order, status):
        open_checkout(order_id=order.pk, at=NOON)
        stripe.becomes("cs_test_1", status=status, payment_intent={"id": "pi_1", "status": "processing"})

        decision = settle(order)

        assert (decision.verdict, decision.reason) == (Verdict.KEPT, decisions.UNDER_WAY)
        assert state_of(order)[1]
        assert stripe.calls["expire"] == 0

    def test_leaves_an_order_that_is_known_to_be_under_way_without_limit(self, stripe, registration):
        open_checkout(order_id=registration.order_id, at=NOON)
        hear(event_of(registration, "checkout.session.completed", status="unpaid", subject={"session": "cs_test_1"}))

        assert settle(registration.order, at=NOON + timedelta(days=30)).verdict == Verdict.SKIPPED

    def test_keeps_an_order_whose_amount_differs_for_staff_to_decide(self, stripe, order):
        open_checkout(order_id=order.pk, at=NOON)
        stripe.is_paid("cs_test_1")
        stripe.becomes("cs_test_1", amount_total=4800)

        decision = settle(order)

        assert (decision.reason, state_of(order)) == (decisions.NOT_SETTLED, ("PENDING", True))
        assert OrderException.objects.get(order=order).kind == "AMOUNT_MISMATCH"
        assert not is_overdue(order, at=NEXT_DAY)

    @pytest.mark.parametrize("trouble", [unavailable(), refused("api_key_expired")])
    @pytest.mark.parametrize("call", ["retrieve", "expire"])
    def test_keeps_an_order_of_which_stripe_tells_nothing(self, stripe, order, trouble, call):
        open_checkout(order_id=order.pk, at=NOON)
        stripe.troubles[call] = trouble

        decision = settle(order)

        assert (decision.verdict, decision.is_unanswered) == (Verdict.KEPT, True)
        assert state_of(order) == ("PENDING", True)

    @pytest.mark.parametrize("call", ["retrieve", "expire"])
    def test_asks_staff_while_stripe_refuses_and_no_longer(self, stripe, order, call):
        open_checkout(order_id=order.pk, at=NOON)
        stripe.troubles[call] = refused("api_key_expired")

        settle(order)
        question = OrderException.objects.get(kind="CHECKOUT_REFUSED")
        assert (question.order, question.is_open, is_overdue(order, at=LATER)) == (order, True, True)
        assert order.number in question.detail_text

        stripe.troubles.clear()
        settle(order)
        question.refresh_from_db()
        assert (state_of(order), question.is_open) == (("EXPIRED", False), False)

    def test_asks_nobody_while_stripe_only_does_not_answer(self, stripe, order):
        open_checkout(order_id=order.pk, at=NOON)
        stripe.troubles["retrieve"] = unavailable()

        settle(order)

        assert not OrderException.objects.exists()

    def test_settles_it_in_the_next_run(self, stripe, order):
        open_checkout(order_id=order.pk, at=NOON)
        stripe.troubles["retrieve"] = unavailable()
        settle(order)
        stripe.troubles.clear()

        assert settle(order).verdict == Verdict.CLOSED

    def test_skips_an_order_whose_time_is_not_over(self, stripe, order):
        open_checkout(order_id=order.pk, at=NOON)

        assert settle(order, at=SOON).verdict == Verdict.SKIPPED
        assert (stripe.calls["retrieve"], history_of(order)) == (0, [])

    def test_skips_an_order_that_was_taken_up_again_while_stripe_was_asked(self, stripe, order):
        open_checkout(order_id=order.pk, at=NOON)

        def take_up():
            stripe.becomes("cs_test_1", status="expired")
            stripe.before_expire = lambda: None
            open_checkout(order_id=order.pk, at=LATER)

        stripe.before_expire = take_up

        assert settle(order).verdict == Verdict.SKIPPED
        assert (state_of(order), stripe.sessions["cs_test_2"]["status"]) == (("PENDING", True), "open")

    def test_keeps_the_answer_of_stripe_with_the_decision(self, stripe, order):
        open_checkout(order_id=order.pk, at=NOON)

        settle(order)

        assert history_of(order) == [("open, unpaid", decisions.ENDED)]
        assert order.changes.get(field="status").source == "clean-up"

    def test_does_not_repeat_itself_in_the_history(self, stripe, order):
        open_checkout(order_id=order.pk, at=NOON)
        stripe.troubles["retrieve"] = unavailable()

        settle(order)
        settle(order)

        assert history_of(order) == [("", decisions.UNREACHABLE)]

    @pytest.mark.django_db(transaction=True)
    def test_refuses_to_run_inside_a_transaction(self, stripe, order):
        with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
            settle(order)


@pytest.mark.usefixtures("db")
class TestCleanUpOrderOfWhichAnAnswerWasLost:
    @pytest.fixture
    def lost(self, stripe, order):
        """Stripe has made a session, and nobody here knows."""
        stripe.will(unavailable(), after_doing=True)
        with pytest.raises(GatewayUnavailable):
            open_checkout(order_id=order.pk, at=NOON)
        stripe.calls.clear()
        return order

    def test_learns_the_session_and_ends_it(self, stripe, lost):
        decision = settle(lost)

        assert (decision.reason, stripe.sessions["cs_test_1"]["status"]) == (decisions.ENDED, "expired")
        assert (state_of(lost), lost.checkouts.get().session) == (("EXPIRED", False), "cs_test_1")

    def test_confirms_it_when_it_was_paid(self, stripe, lost):
        stripe.is_paid("cs_test_1")

        assert settle(lost).verdict == Verdict.CONFIRMED
        assert state_of(lost) == ("PAID", True)

    def test_closes_it_when_stripe_made_none_and_it_is_too_late_to_make_one(self, stripe, order):
        stripe.will(unavailable())
        with pytest.raises(GatewayUnavailable):
            open_checkout(order_id=order.pk, at=NOON)
        stripe.now = int(LATER.timestamp())

        assert settle(order).reason == decisions.NONE_MADE
        assert (state_of(order), stripe.sessions) == (("EXPIRED", False), {})

    @pytest.mark.parametrize(
        "refusal",
        [
            refused("idempotency_error"),
            GatewayRefused(code="no_key", message="STRIPE_SECRET_KEY is not set, so Stripe cannot be asked."),
        ],
    )
    def test_keeps_it_when_the_refusal_says_nothing_about_the_session(self, stripe, lost, refusal):
        stripe.troubles["create"] = refusal

        assert settle(lost).is_unanswered
        assert state_of(lost) == ("PENDING", True)

    def test_makes_no_session_in_a_dry_run(self, stripe, lost):
        decision = settle(lost, dry_run=True)

        assert (decision.reason, stripe.calls) == (decisions.NOT_ASKED, {})

    def test_gives_the_buyer_whom_stripe_refused_the_usual_time_to_try_again(self, stripe, order):
        stripe.will(refused())
        with pytest.raises(GatewayRefused):
            open_checkout(order_id=order.pk, at=NOON)

        assert not is_overdue(order, at=SOON)
        assert is_overdue(order, at=LATER)


@pytest.mark.usefixtures("db")
class TestCleanUpOrderThatFailed:
    def fail(self, stripe, registration, *, at):
        """A delayed payment that brings nothing, heard of at that time."""
        stripe.becomes("cs_test_1", status="complete", payment_intent=FAILED_INTENT)
        hear(event_of(registration, "checkout.session.async_payment_failed", at=at, subject={"session": "cs_test_1"}))

    @pytest.mark.parametrize("failed_at", [NOON + timedelta(minutes=1), NOON + timedelta(days=3)])
    def test_has_24_hours_from_the_failure_to_begin_again(self, stripe, registration, failed_at):
        open_checkout(order_id=registration.order_id, at=NOON)
        self.fail(stripe, registration, at=failed_at)

        before, after = failed_at + timedelta(hours=23, minutes=59), failed_at + timedelta(hours=24)
        kept, closed = settle(registration.order, at=before), settle(registration.order, at=after)

        assert kept.verdict in (Verdict.KEPT, Verdict.SKIPPED)
        assert (closed.reason, state_of(registration.order)) == (decisions.USED_UP, ("EXPIRED", False))

    def test_is_not_asked_about_again_and_again_meanwhile(self, stripe, registration):
        open_checkout(order_id=registration.order_id, at=NOON)
        self.fail(stripe, registration, at=NOON + timedelta(minutes=1))

        verdicts = [settle(registration.order, at=LATER + timedelta(hours=n)).verdict for n in range(3)]

        assert (verdicts, stripe.calls["retrieve"]) == ([Verdict.SKIPPED] * 3, 0)

    def test_learns_of_a_failure_that_was_not_heard_of(self, stripe, registration):
        open_checkout(order_id=registration.order_id, at=NOON)
        stripe.becomes("cs_test_1", status="complete", payment_intent=FAILED_INTENT)

        decision = settle(registration.order)

        registration.order.refresh_from_db()
        assert (decision.reason, state_of(registration.order)) == (decisions.FAILED_LATELY, ("FAILED", True))
        assert registration.order.failure_code == "debit_failed"
        assert not is_overdue(registration.order, at=LATER + timedelta(hours=23))

    def test_is_closed_when_the_payment_was_canceled(self, stripe, order):
        open_checkout(order_id=order.pk, at=NOON)
        stripe.becomes("cs_test_1", status="complete", payment_intent={**FAILED_INTENT, "status": "canceled"})

        assert settle(order).reason == decisions.CANCELED
        assert state_of(order) == ("CANCELED", False)

    def test_keeps_its_place_only_as_long_as_its_session_after_a_decline(self, stripe, registration):
        open_checkout(order_id=registration.order_id, at=NOON)
        hear(event_of(registration, "payment_intent.payment_failed", at=NOON + timedelta(minutes=2)))

        assert not is_overdue(registration.order, at=SOON)
        assert settle(registration.order).reason == decisions.ENDED

    def test_has_24_hours_when_no_session_was_ever_known(self, stripe, registration):
        hear(event_of(registration, "payment_intent.payment_failed", at=NOON))

        assert not is_overdue(registration.order, at=NOON + timedelta(hours=23))
        assert settle(registration.order, at=NOON + timedelta(hours=24)).reason == decisions.NEVER_OPENED


@pytest.mark.usefixtures("db")
class TestCleanUpOrderThatWasTakenUpAgain:
    def take_up(self, stripe, order, *, at):
        for row in stripe.sessions.values():
            row["status"] = "expired" if row["status"] == "open" else row["status"]
        return open_checkout(order_id=order.pk, at=at)

    def test_holds_its_place_no_longer_than_24_hours_in_all(self, stripe, order):
        Order.objects.filter(pk=order.pk).update(created_at=NOON)
        open_checkout(order_id=order.pk, at=NOON)
        self.take_up(stripe, order, at=NOON + timedelta(hours=23, minutes=50))

        decision = settle(order, at=NOON + timedelta(hours=24, minutes=1))

        assert (decision.reason, state_of(order)) == (decisions.ENDED, ("EXPIRED", False))

    def test_is_not_charged_for_the_days_that_a_bank_took(self, stripe, registration):
        open_checkout(order_id=registration.order_id, at=NOON)
        subject = {"session": "cs_test_1"}
        hear(event_of(registration, "checkout.session.completed", status="unpaid", subject=subject))
        failed_at = NOON + timedelta(days=3)
        hear(event_of(registration, "checkout.session.async_payment_failed", at=failed_at, subject=subject))
        stripe.becomes("cs_test_1", status="complete", payment_intent=FAILED_INTENT)
        self.take_up(stripe, registration.order, at=failed_at + timedelta(hours=1))

        assert not is_overdue(registration.order, at=failed_at + timedelta(hours=1, minutes=30))
        assert is_overdue(registration.order, at=failed_at + timedelta(hours=1, minutes=31))

    def test_is_left_alone_the_first_time_however_long_ago_the_place_was_offered(self, stripe, order):
        open_checkout(order_id=order.pk, at=NOON + timedelta(hours=40))

        assert not is_overdue(order, at=NOON + timedelta(hours=40, minutes=30))
