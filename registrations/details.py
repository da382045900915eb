"""What people are told of an activity in their own language, how they find it, and how it stands in their calendar."""

import unicodedata
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language
from icalendar import Calendar, Event

if TYPE_CHECKING:
    from registrations.models import Registration

CALENDAR_FILE, CALENDAR_TYPE = "activity.ics", "text/calendar; charset=utf-8; method=PUBLISH"


def folded(text: str) -> str:
    """Lower case without accents: as people look for it."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


class ActivityDetails:
    """What follows from the columns of an Activity."""

    title: Any
    summary: Any
    place: Any
    address: Any
    city: Any
    translations: Any
    starts_at: Any
    refund_days: Any

    @property
    def name(self) -> str:
        """The title in the reader's language."""
        return self.told("title")

    @property
    def short_text(self) -> str:
        """The sentence about it in the reader's language."""
        return self.told("summary")

    @property
    def long_text(self) -> str:
        """The description in the reader's language."""
        return self.told("description")

    def told(self, field: str, *, language: str = "") -> str:
        """A text in this language, by default that of the reader; as it is written where there is no other."""
        spoken = (language or get_language() or "")[:2]
        return self.translations.get(spoken, {}).get(field) or getattr(self, field)

    def words(self) -> list[str]:
        """What it is found by."""
        translated = (text for told in self.translations.values() for text in (told.get("title"), told.get("summary")))
        return [self.title, self.summary, self.place, self.city, *filter(None, translated)]

    @property
    def where(self) -> str:
        """Place, street and city on one line; what the place says already is not said twice."""
        parts = [self.place, self.address, "" if self.city and self.city in self.place else self.city]
        return ", ".join(filter(None, parts))

    def refund_until(self) -> datetime | None:
        """Until when a buyer who cannot come gets the money back without asking; None: not without asking."""
        return None if self.refund_days is None else self.starts_at - timedelta(days=self.refund_days)


class SearchField(models.TextField):
    """What an activity is found by: its words, folded, written with each save."""

    def pre_save(self, instance: models.Model, add: bool) -> str:
        text = folded(" ".join(cast(ActivityDetails, instance).words()))
        setattr(instance, self.attname, text)
        return text


def calendar_file(row: "Registration", *, url: str, at: datetime) -> bytes:
    """One event, in the person's language; fetched again after it was moved, it takes the place of the one before.

    `url`: the person's own page. https://www.rfc-editor.org/rfc/rfc5545
    """
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
    event.add("url", url)
    calendar = Calendar()
    calendar.add("prodid", f"-//{settings.SITE_NAME}//registrations//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())
