"""From a list of two hundred to a place, into the calendar, and back out of it with the money."""

from datetime import timedelta
from itertools import count

from django.utils import timezone

from registrations.models import Activity

CITIES = ("Lyon", "Grenoble", "Vienne")
_numbers = count(1)


def two_hundred():
    """Activities, one of which is looked for; it takes place in another city than all others."""
    number, now = next(_numbers), timezone.now()
    others = [
        Activity(
            slug=f"course-{number}-{n}", title=f"Course {number}-{n}", city=CITIES[n % 3], price=4900, capacity=9,
            starts_at=now + timedelta(days=3, hours=n),
        )
        for n in range(199)
    ]  # fmt: skip
    wanted = Activity(
        slug=f"kiln-{number}", title=f"Kiln {number}", city=f"Annecy {number}", address="1 rue du Four", price=4900,
        capacity=3, refund_days=7, starts_at=now + timedelta(days=40), ends_at=now + timedelta(days=40, hours=3),
    )  # fmt: skip
    Activity.objects.bulk_create([*others, wanted])
    return Activity.objects.filter(slug__in=[each.slug for each in (*others, wanted)]), wanted


def test_is_found_in_two_clicks_bought_put_into_the_calendar_and_given_back(buyer):
    made, activity = two_hundred()
    buyer.page.set_viewport_size({"width": 360, "height": 740})
    buyer.open("/")
    buyer.examines()

    buyer.follow(activity.city)
    buyer.follow(activity.title)

    buyer.sees(activity.title)
    buyer.examines()
    buyer.buys(activity)
    buyer.reads(buyer.email)
    with buyer.page.expect_download() as download:
        buyer.follow("Add to calendar")
    assert b"SUMMARY:" + activity.title.encode() in download.value.path().read_bytes()
    buyer.examines()
    buyer.follow("Receipt for your payment")
    buyer.reads("Total paid")
    buyer.follow("Your registration")
    mail = buyer.mails.wait_for(buyer.words("Your place is confirmed: %(title)s", title=activity.title))
    assert [part.get_filename() for part in mail.iter_attachments()] == ["activity.ics"]
    buyer.follow("I cannot come")
    buyer.examines()
    buyer.press("Release my place and refund %(sum)s", sum=buyer.amount(4900))
    buyer.looks_until("Your payment was refunded")
    buyer.is_told("Your refund: %(title)s", activity)
    activity.refresh_from_db()
    assert activity.places_taken == 0
    made.update(is_on_sale=False)
