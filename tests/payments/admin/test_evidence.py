"""The evidence as a download: for those who may, for one dispute at a time."""

import io
from zipfile import ZipFile

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

LIST = reverse("admin:payments_dispute_changelist")


@pytest.fixture
def dispute(order):
    return order.disputes.get()


@pytest.fixture
def looker(clerk):
    """May look at disputes, and not take the evidence away."""
    clerk.user_permissions.add(Permission.objects.get(codename="view_dispute"))
    return clerk


def choose(page, *disputes):
    return page.post(LIST, {"action": "evidence", "_selected_action": [row.pk for row in disputes]})


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
