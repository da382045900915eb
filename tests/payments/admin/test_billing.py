"""The money's screens: whose it is, and how long there is to answer a dispute."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from payments.billing.models import Dispute
from payments.statuses import DisputePhase
from tests.support.pages import text_of

PAYMENTS = reverse("admin:payments_payment_changelist")
DISPUTES = reverse("admin:payments_dispute_changelist")


@pytest.fixture
def make_dispute(subscription):
    def make(name, *, phase=DisputePhase.OPEN, **left):
        due_by = timezone.now() + timedelta(**left) if left else None
        return Dispute.objects.create(
            stripe_id=name, subscription=subscription, payment="in_ada", amount=400, currency="eur", phase=phase,
            status="needs_response", status_at=timezone.now(), due_by=due_by,
        )  # fmt: skip

    return make


class TestPayments:
    def test_belong_to_an_order_or_to_a_subscription(self, page, order, subscription):
        content = page.get(PAYMENTS).content.decode()

        assert reverse("admin:payments_order_change", args=[order.pk]) in content
        assert reverse("admin:payments_subscription_change", args=[subscription.pk]) in content


class TestDisputes:
    def test_stand_by_their_deadline_the_open_ones_first(self, page, make_dispute):
        make_dispute("du_late", days=9)
        make_dispute("du_without")
        make_dispute("du_lost", phase=DisputePhase.LOST, days=1)
        make_dispute("du_soon", days=2)

        shown = [row.stripe_id for row in page.get(DISPUTES).context["cl"].result_list]

        assert shown == ["du_soon", "du_late", "du_without", "du_lost"]

    @pytest.mark.parametrize(
        ("left", "words"),
        [
            ({"days": 9, "hours": 1}, "9 days"),
            ({"days": 1, "hours": 1}, "1 day"),
            ({"hours": 5}, "less than a day"),
            ({"hours": -1}, "the deadline has passed"),
        ],
    )
    def test_say_how_long_there_is_to_answer(self, page, make_dispute, left, words):
        make_dispute("du_1", **left)

        assert words in text_of(page.get(DISPUTES))

    def test_that_are_decided_count_no_days(self, page, make_dispute):
        row = make_dispute("du_1", phase=DisputePhase.CLOSED, days=9)

        text = text_of(page.get(reverse("admin:payments_dispute_change", args=[row.pk])))

        assert "days" not in text
        assert "Won or closed without loss" in text
