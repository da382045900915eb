"""The activity as a file for calendars: https://www.rfc-editor.org/rfc/rfc5545"""

from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone
from icalendar import Calendar, Event

from registrations.links import page_url
from registrations.models import Registration

FILE_NAME, CONTENT_TYPE = "activity.ics", "text/calendar; charset=utf-8; method=PUBLISH"


def calendar_file(row: Registration, *, at: datetime) -> bytes:
    """One event, in the person's language; fetched again after it was moved, it takes the place of the one before."""
    activity = row.activity
    event = Event()
    event.add("uid", f"{row.public_id}@{urlsplit(settings.SITE_URL).hostname}")
    event.add("dtstamp", at)
    event.add("sequence", activity.moves)
    event.add("status", "CANCELLED" if activity.called_off_at else "CONFIRMED")
    event.add("summary", activity.told("title", language=row.language))
    event.add("dtstart", timezone.localtime(activity.starts_at))
    if activity.ends_at:
        event.add("dtend", timezone.localtime(activity.ends_at))
    if activity.where:
        event.add("location", activity.where)
    event.add("url", page_url(row))
    calendar = Calendar()
    calendar.add("prodid", f"-//{settings.SITE_NAME}//registrations//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())
