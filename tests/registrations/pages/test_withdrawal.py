from datetime import timedelta

import pytest
from icalendar import Calendar

from payments.effects.models import Effect
from payments.orders.models import OrderChange
from payments.statuses import EffectStatus
from registrations.links import page_path
from registrations.models import Activity
from registrations.services.call_off import call_off
from registrations.services.register import confirm_free
from tests.support.factories import make_staff
from tests.support.pages import text_of
from tests.support.road import NOON, event_of, hear

pytestmark = pytest.mark.django_db
REFUND = "stripe.refund"


@pytest.fixture
def paid(registration):
    hear(event_of(registration, "checkout.session.completed"), event_of(registration, "payment_intent.succeeded"))
    registration.refresh_from_db()
    return registration


def page_of(row, name="cannot-come"):
    return f"{page_path(row)}{name}"


def refunds():
    return Effect.objects.filter(key__contains=":withdrawn:")


class TestWithdraw:
    def test_says_what_goes_back_and_asks_for_it_once(self, visitor, paid):
        Activity.objects.update(refund_days=7)

        asked = text_of(visitor.get(page_of(paid)))
        visitor.post(page_of(paid))
        after = text_of(visitor.post(page_of(paid), follow=True))

        assert "Release my place and refund €49.00" in asked
        assert "Your money is on its way back" in after
        assert refunds().get().status == EffectStatus.PENDING
        assert OrderChange.objects.filter(field="withdrawn", source="buyer").count() == 1

    def test_of_a_place_that_was_free_lets_it_go_at_once(self, visitor, make_activity, make_registration):
        free = make_activity(slug="free", price=0)
        row = make_registration(of=free)
        confirm_free(registration=row, at=NOON)
        assert "Release my place" in text_of(visitor.get(page_of(row)))

        page = text_of(visitor.post(page_of(row), follow=True))

        assert "Your place has been released" in page
        row.refresh_from_db()
        free.refresh_from_db()
        assert (row.holds_place, free.places_taken) == (False, 0)

    @pytest.mark.parametrize("days", [None, 31])
    def test_sends_who_is_too_late_or_has_no_such_rule_to_the_shop(self, visitor, paid, days):
        Activity.objects.update(refund_days=days)

        page = text_of(visitor.get(page_of(paid)))
        visitor.post(page_of(paid))

        assert f"quote your order number {paid.order.number}" in page
        assert "Release my place" not in page
        assert not refunds().exists()

    def test_is_not_offered_where_there_is_nothing_to_give_back(self, visitor, registration, paid):
        call_off(activity=paid.activity, reason="broken", by=make_staff(), at=NOON)

        response = visitor.get(page_of(paid))

        assert (response.status_code, response["Location"]) == (303, page_path(paid))

    def test_is_changed_by_no_link_alone(self, visitor, paid):
        Activity.objects.update(refund_days=7)

        visitor.get(page_of(paid))

        assert not refunds().exists()


class TestCalendar:
    def test_takes_the_day_with_its_zone_and_the_way_back(self, visitor, paid):
        ends = paid.activity.starts_at + timedelta(hours=3)
        Activity.objects.update(ends_at=ends, place="Maison des arts", city="Lyon", moves=2)

        response = visitor.get(page_of(paid, "calendar.ics"))

        (event,) = Calendar.from_ical(response.content).walk("VEVENT")
        assert response["Content-Type"].startswith("text/calendar")
        assert (event.decoded("dtstart"), event.decoded("dtend")) == (paid.activity.starts_at, ends)
        assert str(event["dtstart"].params["TZID"]) == "Europe/Paris"
        assert (event["summary"], event["location"], event["sequence"]) == ("Pottery", "Maison des arts, Lyon", 2)
        assert str(event["uid"]).startswith(str(paid.public_id))

    def test_is_nothing_for_a_place_that_is_not_theirs(self, visitor, registration):
        assert visitor.get(page_of(registration, "calendar.ics")).status_code == 404
