"""The money's screens: whose it is, how long there is to answer a dispute, and its evidence as a download."""

import io
from datetime import timedelta
from zipfile import ZipFile

import pytest
from django.contrib.auth.models import Permission
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


@pytest.fixture
def dispute(order):
    return order.disputes.get()


@pytest.fixture
def looker(clerk):
    """May look at disputes, and not take the evidence away."""
    clerk.user_permissions.add(Permission.objects.get(codename="view_dispute"))
    return clerk


def choose(page, *disputes):
    return page.post(DISPUTES, {"action": "evidence", "_selected_action": [row.pk for row in disputes]})


def own_page(dispute):
    return reverse("admin:payments_dispute_change", args=[dispute.pk])


class TestEvidence:
    def test_comes_as_a_file(self, page, dispute):
        response = choose(page, dispute)

        assert response["Content-Type"] == "application/zip"
        assert response["Content-Disposition"] == f'attachment; filename="{dispute.stripe_id}.zip"'
        with ZipFile(io.BytesIO(response.content)) as archive:
            assert f"{dispute.stripe_id}/facts.json" in archive.namelist()

    def test_belongs_to_one_dispute(self, page, dispute):
        dispute.pk, dispute.stripe_id = None, "du_other"
        dispute.save()

        response = choose(page, *dispute.order.disputes.all())

        assert response.status_code == 302

    def test_is_offered_on_the_disputes_page(self, page, dispute):
        assert 'value="evidence"' in page.get(own_page(dispute)).content.decode()

    def test_needs_a_right_of_its_own(self, client, looker, dispute):
        client.force_login(looker)

        assert 'value="evidence"' not in client.get(own_page(dispute)).content.decode()
        assert choose(client, dispute)["Content-Type"] != "application/zip"


class TestDesk:
    """What the list and the page say of a dispute that waits for an answer."""

    def test_says_what_it_is_about_and_what_is_to_be_added_by_hand(self, page, make_dispute):
        row = make_dispute("du_1", days=9)
        Dispute.objects.update(reason="subscription_canceled")

        about = f"€4.00 for {row.subscription.plan} is disputed (charged after a cancellation)"
        assert about in text_of(page.get(DISPUTES))
        assert "Your rules for ending a subscription" in text_of(page.get(own_page(row)))

    def test_has_the_pack_one_click_away_for_who_may_take_it(self, page, client, looker, dispute):
        address = reverse("admin:payments_dispute_evidence", args=[dispute.pk])
        client.force_login(looker)

        assert page.get(address)["Content-Type"] == "application/zip"
        assert client.get(address).status_code == 403
        assert f"{dispute.pk}/evidence/" in page.get(DISPUTES).content.decode()
        assert f"{dispute.pk}/evidence/" not in client.get(DISPUTES).content.decode()
