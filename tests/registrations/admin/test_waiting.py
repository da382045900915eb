"""The waiting list's screen: read-only but for one button, which keeps everybody's turn."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from registrations.models import Activity, WaitingEntry
from tests.support.factories import ActivityFactory, RegistrationFactory, UserFactory
from tests.support.waiting_people import wait_for

LIST = reverse("admin:registrations_waitingentry_changelist")
OFFER = reverse("admin:registrations_waitingentry_offer")


@pytest.fixture
def full(db):
    """One place, taken; Zoë and then Max wait."""
    activity = ActivityFactory(capacity=1, starts_at=timezone.now() + timedelta(days=30))
    RegistrationFactory(activity=activity)
    wait_for(activity, "Zoë Martin", "Max Meyer")
    return activity


@pytest.fixture
def place(full):
    """One more has become free."""
    Activity.objects.filter(pk=full.pk).update(capacity=2)


class TestWaitingList:
    def test_shows_who_waits_and_who_was_offered_what(self, page, full, place):
        page.post(OFFER)

        content = page.get(LIST).content.decode()

        offer = WaitingEntry.objects.get(name="Zoë Martin").offered
        assert reverse("admin:registrations_registration_change", args=[offer.pk]) in content
        assert "Waiting for payment" in content
        assert "Max Meyer" in content

    def test_is_listed_in_as_many_queries_as_many_wait(self, page, full):
        few = self.queries(page)
        wait_for(full, *(f"Person {letter}" for letter in "ABCDEFGH"))

        assert self.queries(page) == few <= 10

    def test_cannot_be_touched(self, page, full):
        entry = WaitingEntry.objects.first()
        for name in ("change", "delete"):
            address = reverse(f"admin:registrations_waitingentry_{name}", args=[entry.pk])
            assert page.post(address, {"name": "x", "post": "yes"}).status_code == 403

        assert page.get(reverse("admin:registrations_waitingentry_add")).status_code == 403
        assert page.get(reverse("admin:registrations_waitingentry_change", args=[entry.pk])).status_code == 200
        assert WaitingEntry.objects.filter(pk=entry.pk, name=entry.name).exists()

    @staticmethod
    def queries(page):
        page.get(LIST)
        with CaptureQueriesContext(connection) as queries:
            assert page.get(LIST).status_code == 200
        return len(queries)


class TestOfferNow:
    def test_offers_free_places_to_who_comes_first(self, page, place):
        response = page.post(OFFER, follow=True)

        assert "1 person was offered a place." in response.content.decode()
        assert [row.name for row in WaitingEntry.objects.filter(offered__isnull=False)] == ["Zoë Martin"]

    def test_says_when_there_is_nothing_to_offer(self, page, full):
        assert "No offer was made" in page.post(OFFER, follow=True).content.decode()

    def test_is_not_done_by_looking(self, page, place):
        assert page.get(OFFER).status_code == 405
        assert not WaitingEntry.objects.filter(offered__isnull=False).exists()

    def test_needs_a_right_of_its_own(self, place):
        user = UserFactory(is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="view_waitingentry"))
        page = Client(headers={"accept-language": "en"})
        page.force_login(user)

        assert "Offer free places now" not in page.get(LIST).content.decode()
        assert page.post(OFFER).status_code == 403
        assert not WaitingEntry.objects.filter(offered__isnull=False).exists()
