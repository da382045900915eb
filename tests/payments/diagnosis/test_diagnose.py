"""The runbook ("paid at Stripe, not reflected here") in all its branches: each is found, said, and has its remedy."""

from datetime import timedelta

import pytest

from payments.billing.models import Dispute, Refund
from payments.diagnosis.diagnose import Outcome, diagnose
from payments.diagnosis.findings import RuledTwice, Severity, rule
from payments.ledger.models import HeldType, RefusedDeliveries
from payments.orders.models import Order
from payments.statuses import DisputePhase, EventStatus
from registrations.models import Registration
from tests.payments.diagnosis.conftest import SESSION, make_effect, make_event, make_question
from tests.support.factories import NOON, OrderFactory, RegistrationFactory
from tests.support.subscriptions import make_customer, make_subscription

LATER = NOON + timedelta(minutes=5)


def asked(text, *, at=LATER):
    return diagnose(str(text), at=at)


def found(diagnosis):
    """Its findings by their codes."""
    return {each.code: each for each in diagnosis.findings}


def refuse(code, *, count=3, at=NOON):
    return RefusedDeliveries.objects.create(hour=at, code=code, count=count, last_at=at, request_id="refused-request-1")


def dead(order):
    return make_event(order, status="DEAD", attempts=7, error_kind="KeyError", error="amount")


def failed(order):
    return make_event(order, status="FAILED", attempts=2, error="boom", next_attempt_at=NOON + timedelta(hours=1))


def held(order):
    HeldType.objects.create(type="checkout.session.completed", reason="looks odd")
    return make_event(order, status="HELD")


def unmatched(order):
    return make_event(status="IGNORED", ignored_reason="unmatched", references=["order:unknown"])


def ignored(reason):
    return lambda order: make_event(order, status="IGNORED", ignored_reason=reason)


def question(kind, **columns):
    return lambda order: make_question(order, kind, **columns)


def effect(status, **columns):
    return lambda order: make_effect(order, status, **columns)


def state(**columns):
    return lambda order: Order.objects.filter(pk=order.pk).update(**columns)


def dispute(status, phase=DisputePhase.OPEN):
    return lambda order: Dispute.objects.create(
        stripe_id="du_1", order=order, payment="pi_1", amount=4900, currency="eur", status=status, phase=phase,
        status_at=NOON, due_by=NOON + timedelta(days=7),
    )  # fmt: skip


def refund(status, **columns):
    return lambda order: Refund.objects.create(
        stripe_id="re_1", order=order, payment="pi_1", amount=4900, currency="eur", status=status, status_at=NOON,
        **columns,
    )  # fmt: skip


def without_place(order):
    Registration.objects.filter(order=order).update(holds_place=False)


# What has happened; the code of what is found; words of the sentence; the button or the command that heals it.
WAITING = [
    (lambda order: None, "event.never_came", "No event has told of a payment", "resync_order_action"),
    (lambda order: None, "order.waiting", "its payment page at Stripe is open", ""),
    (lambda order: refuse("invalid_signature"), "event.refused", "matches none of our webhook secrets", "--webhooks"),
    (lambda order: refuse("wrong_host"), "event.refused", "a host name that is not ours", "--webhooks"),
    (lambda order: refuse("missing_signature"), "event.refused", "header is missing", "--webhooks"),
    (dead, "event.dead", "given up after 7 attempts: KeyError: amount", "replay"),
    (failed, "event.failed", "has failed 2 times (next try: March 2, 2026", "replay"),
    (held, "event.held", "is held back: looks odd", ""),
    (lambda order: make_event(order, status="RECEIVED"), "event.waiting", "waits to be processed", "manage.py drain"),
    (unmatched, "event.unmatched", "names nothing that is known here: order:unknown", f"resync order {SESSION}"),
    (ignored("made by another site"), "event.foreign_site", "another site of the same Stripe account", ""),
    (ignored("wrong livemode"), "event.ignored", "test mode and this site of live mode", ""),
    (ignored("the session is not paid"), "event.ignored", "the session is not paid", ""),
    (state(status="PROCESSING"), "order.waiting", "A payment of O-", ""),
    (state(status="FAILED", failure_code="expired_card", failed_charge="ch_1", failed_attempt=1), "order.waiting",
     "The card has expired.", ""),
    (state(status="EXPIRED"), "order.closed", "ended without a payment (Expired)", "resync_order_action"),
    (effect("DEAD", outcome="550 no such mailbox"), "message.given_up", "550 no such mailbox", ""),
]  # fmt: skip
PAID = [
    (lambda order: None, "order.paid", "is paid: €49.00 received", ""),
    (lambda order: None, "registration.place", "Camille Martin has a place", ""),
    (question("AMOUNT_MISMATCH", detail="Received %(got)s", values={"got": {"amount": 1, "currency": "eur"}}),
     "question", "Amount or currency differs – Received €0.01", ""),
    (question("SECOND_PAYMENT"), "question", "Paid twice", ""),
    (question("NO_PLACE"), "question", "Paid without a place", ""),
    (question("REFUND_OWED"), "question", "Refund owed", ""),
    (without_place, "registration.no_place", "has paid and has no place", "check_places"),
    (effect("UNCERTAIN", outcome="The worker died."), "message.uncertain", "may have gone out or not", ""),
    (effect("SKIPPED", outcome="There is no address to write to."), "message.skipped", "There is no address", ""),
    (effect("PENDING", attempts=2, outcome="421 later"), "message.late", "is tried again", ""),
    (effect("PENDING"), "message.late", "waits to go out", ""),
    (effect("DONE", delivered_at=NOON), "message.sent", "“registration.confirmed” went out", ""),
    (dispute("needs_response"), "dispute.deadline", "€49.00 waits for an answer (by March 9, 2026", "evidence du_1"),
    (dispute("under_review"), "dispute.open", "is with the bank", ""),
    (state(dispute_state="LOST"), "dispute.lost", "is lost, and what it bought has ended", ""),
    (refund("pending"), "refund.under_way", "of €49.00 is under way", ""),
    (state(status="REFUNDED", amount_refunded=4900), "order.refunded", "€49.00 of O-", ""),
]  # fmt: skip
SUBSCRIPTIONS = [
    ({"status": "active"}, "subscription.active", "gives access"),
    ({"status": "past_due", "unpaid_since": NOON}, "subscription.past_due", "is overdue"),
    ({"status": "unpaid"}, "subscription.past_due", "it gives no access"),
    ({"status": "active", "pause": "void"}, "subscription.paused", "Nothing is collected"),
    ({"status": "paused"}, "subscription.paused", "Nothing is collected"),
    ({"status": "canceled", "ended_at": NOON}, "subscription.ended", "is over"),
    ({"status": "incomplete"}, "subscription.not_begun", "has not begun"),
    ({"status": "active", "needs_resync": True}, "subscription.doubtful", "incomplete or late"),
    ({"status": "active", "money_back": "refunded"}, "subscription.money_back", "went back"),
]  # fmt: skip


@pytest.mark.django_db
class TestDiagnose:
    @pytest.mark.parametrize(("happened", "code", "words", "remedy"), WAITING)
    def test_says_of_an_order_that_waits(self, order, happened, code, words, remedy):
        happened(order)

        self.expect(asked(order.number), code, words, remedy)

    @pytest.mark.parametrize(("happened", "code", "words", "remedy"), PAID)
    def test_says_of_an_order_that_is_paid(self, paid, happened, code, words, remedy):
        happened(paid)

        self.expect(asked(paid.number), code, words, remedy)

    @pytest.mark.parametrize(("columns", "code", "words"), SUBSCRIPTIONS)
    def test_says_of_a_subscription(self, columns, code, words):
        period = {"period_start": NOON, "period_end": NOON + timedelta(days=31)}
        make_subscription(customer=make_customer(), stripe_updated_at=NOON, **period, **columns)

        self.expect(asked("sub_1"), code, words, "")

    def expect(self, diagnosis, code, words, remedy):
        finding = found(diagnosis)[code]
        assert words in finding.sentence
        if remedy:
            assert remedy in (finding.remedy.action, finding.remedy.command) or remedy in finding.remedy.command
        is_open = finding.severity >= Severity.WAITING
        assert (diagnosis.outcome is Outcome.FOUND) or not is_open

    def test_says_that_all_is_well_and_what_holds(self, paid):
        make_effect(paid, "DONE", delivered_at=NOON)

        diagnosis = asked(paid.number)

        assert diagnosis.outcome is Outcome.HEALTHY
        assert diagnosis.verdict.startswith(f"Everything is as it should be. {paid.number} is paid: €49.00 received")
        assert set(found(diagnosis)) == {"order.paid", "message.sent", "registration.place"}

    def test_puts_the_gravest_on_top_and_counts_the_rest(self, order):
        failed(order)
        make_effect(order, "PENDING", attempts=1, outcome="421 later")
        event = dead(order)

        diagnosis = asked(order.number)

        assert diagnosis.verdict.startswith(f"{event.stripe_event_id} (checkout.session.completed) was given up")
        assert diagnosis.verdict.endswith("2 more things need a look.")
        severities = [each.severity for each in diagnosis.findings]
        assert severities == sorted(severities, reverse=True)

    def test_says_how_long_a_page_has_been_over(self, order):
        diagnosis = asked(order.number, at=NOON + timedelta(hours=2))

        assert "still waits, though its payment page is over" in found(diagnosis)["order.overdue"].sentence

    def test_takes_a_missing_signature_for_a_stranger_where_events_arrive(self, order):
        refuse("missing_signature")
        make_event(type="customer.updated", received_at=LATER, mentions=[], object_id="cus_1")

        assert "event.refused" not in found(asked(order.number))

    def test_says_why_a_request_was_refused(self, db):
        refuse("thin_event", count=1)

        diagnosis = asked("refused-request-1")

        assert "it is a thin event." in diagnosis.verdict
        assert diagnosis.findings[0].remedy.sentence.startswith("Choose the payload style “snapshot”")

    @pytest.mark.parametrize(
        "text", ["", "evt_nothing", "O-000999", "cs_test_nothing", "nobody@example.com", "\0", "%"]
    )
    def test_says_that_it_knows_nothing_of_that_name(self, db, text):
        diagnosis = asked(text)

        assert diagnosis.outcome is Outcome.UNKNOWN
        assert diagnosis.verdict.startswith("Nothing here is called")

    def test_says_what_was_ignored_and_done_where_an_event_is_named(self, paid):
        event = make_event(paid, status="IGNORED", ignored_reason="no handler for this type", type="x.y")

        assert "events of this type are not used here" in asked(event.stripe_event_id).verdict

    def test_tells_programs_the_same(self, order):
        event = dead(order)

        told = asked(order.number).as_dict()

        assert (told["id"], told["outcome"], told["stripe"]) == (order.number, "found", None)
        assert told["about"] == [{"type": "payments.order", "id": order.pk, "name": order.number}]
        [first, *_rest] = told["findings"]
        assert (first["code"], first["severity"], first["about"]) == ("event.dead", "problem", order.number)
        assert {"type": "payments.paymentevent", "id": event.pk, "name": str(event)} in first["evidence"]

    def test_takes_few_queries_however_many_rows_there_are(self, paid, django_assert_max_num_queries):
        RegistrationFactory.create_batch(3, order__status="PAID")
        for status in EventStatus.values:
            make_event(paid, status=status)
        for status in ("DONE", "DEAD", "PENDING"):
            make_effect(paid, status)

        with django_assert_max_num_queries(9):
            asked(paid.number).records.story()

    def test_looks_at_the_latest_orders_of_a_person(self, db):
        OrderFactory.create_batch(21, email="ada@example.com", kind="other")

        assert len(asked("ada@example.com").records.orders) == 20


class TestRule:
    def test_has_a_code_of_its_own(self):
        with pytest.raises(RuledTwice):
            rule("event.dead", Severity.NOTE)(lambda _records: ())
