"""The waiting list's screen is read-only; free places are offered from the activity, which keeps everybody's turn."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from payments.orders.models import OrderChange
from registrations.models import Activity, WaitingEntry
from tests.support.factories import ActivityFactory, RegistrationFactory
from tests.support.waiting_people import wait_for

LIST = reverse("admin:registrations_waitingentry_changelist")
ACTIVITIES = reverse("admin:registrations_activity_changelist")


def offer(page, activity, **more):
    data = {"action": "offer_action", "index": "0", "_selected_action": activity.pk, **more}
    return page.post(ACTIVITIES, data, follow=True)


def own_page(activity):
    return reverse("admin:registrations_activity_change", args=[activity.pk])


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
        offer(page, full, confirmed="1", reason="Somebody calls")

        content = page.get(LIST).content.decode()

        offered = WaitingEntry.objects.get(name="Zoë Martin").offered
        assert reverse("admin:registrations_registration_change", args=[offered.pk]) in content
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
    def test_offers_free_places_to_who_comes_first_and_keeps_who_did_it_and_why(self, page, staff, full, place):
        response = offer(page, full, confirmed="1", reason="Somebody calls")

        assert "1 person was offered a place." in response.content.decode()
        [entry] = WaitingEntry.objects.filter(offered__isnull=False)
        change = OrderChange.objects.get(field="offered")
        assert (entry.name, change.order) == ("Zoë Martin", entry.offered.order)
        assert (change.after, change.source) == ("Somebody calls", staff.email)
        told = LogEntry.objects.get().change_message
        assert told == "Offer the free places · Somebody calls · places taken: 1 → 2"

    def test_says_when_there_is_nothing_to_offer(self, page, full):
        assert "No offer was made" in offer(page, full, confirmed="1", reason="x").content.decode()
        assert "Offer the free places…" not in page.get(own_page(full)).content.decode()

    def test_is_not_done_by_asking_nor_without_a_reason(self, page, full, place):
        assert "Offer the free places now?" in offer(page, full).content.decode()
        offer(page, full, confirmed="1", reason=" ")

        assert not WaitingEntry.objects.filter(offered__isnull=False).exists()
