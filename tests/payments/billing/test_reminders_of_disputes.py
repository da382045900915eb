"""Staff are warned of a deadline once, and only while there is something to answer."""

from datetime import timedelta

import pytest

from payments.billing.models import Dispute
from payments.billing.reminders import warn_of_deadlines
from payments.effects.models import Effect
from payments.statuses import DISPUTE_PHASES, DisputePhase
from payments.tasks import warn_of_deadlines_job
from tests.support.factories import NOON, OrderFactory
from tests.support.subscriptions import make_subscription

pytestmark = pytest.mark.django_db


def disputed(name="du_1", *, status="needs_response", days=2.0, **owner):
    return Dispute.objects.create(
        **owner or {"order": OrderFactory()}, stripe_id=name, payment="pi_1", amount=4900, currency="eur",
        status=status, phase=DISPUTE_PHASES[status], status_at=NOON,
        due_by=NOON + timedelta(days=days),
    )  # fmt: skip


def warned():
    return sorted(Effect.objects.filter(kind="alert.dispute_due").values_list("key", flat=True))


class TestWarnOfDeadlines:
    def test_notes_an_alert_for_whom_the_money_belongs_to(self):
        order, subscription = OrderFactory(), make_subscription()
        disputed("du_1", order=order)
        disputed("du_2", subscription=subscription)

        assert warn_of_deadlines(at=NOON) == 2

        told = Effect.objects.order_by("key").values_list("key", "order_id", "subscription_id")
        assert list(told) == [
            ("alert.dispute_due:du_1:2026-03-04", order.pk, None),
            ("alert.dispute_due:du_2:2026-03-04", None, subscription.pk),
        ]

    def test_happens_once(self):
        disputed()

        counts = [warn_of_deadlines(at=NOON + timedelta(hours=hour)) for hour in range(3)]

        assert counts == [1, 0, 0]

    @pytest.mark.parametrize(
        ("days", "is_near"), [(3.0, True), (3.1, False), (0.01, True), (0.0, False), (-1.0, False)]
    )
    def test_begins_three_days_before_and_ends_with_the_deadline(self, days, is_near):
        disputed(days=days)

        assert warn_of_deadlines(at=NOON) == is_near

    def test_takes_an_appeal_for_what_can_be_answered(self):
        disputed(status="appeal_needs_response")

        assert warn_of_deadlines(at=NOON) == 1

    @pytest.mark.parametrize("status", ["under_review", "won", "lost", "warning_closed", "warning_under_review"])
    def test_leaves_out_what_needs_no_answer(self, status):
        disputed(status=status)

        warn_of_deadlines(at=NOON)

        assert warned() == []

    def test_takes_an_inquiry_for_what_it_is(self):
        disputed(status="warning_needs_response")

        warn_of_deadlines(at=NOON)

        assert warned() == ["alert.dispute_due:du_1:2026-03-04"]

    def test_happens_again_before_another_deadline(self):
        dispute = disputed(status="warning_needs_response")
        warn_of_deadlines(at=NOON)
        dispute.status, dispute.phase, dispute.due_by = "needs_response", DisputePhase.OPEN, NOON + timedelta(days=9)
        dispute.save()

        counts = [warn_of_deadlines(at=NOON + timedelta(days=day)) for day in (1, 7)]

        assert counts == [0, 1]
        assert warned() == ["alert.dispute_due:du_1:2026-03-04", "alert.dispute_due:du_1:2026-03-11"]


class TestWarnOfDeadlinesJob:
    def test_reads_the_clock(self):
        disputed()

        warn_of_deadlines_job(something_later=True)

        assert warned() == []
