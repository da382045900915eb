"""Days and hours as the reader's country writes them, in every template: takes the place of Django's own two filters.

Only what asks for the usual forms ("DATE_FORMAT", "TIME_FORMAT") is written so; everything else is Django's.
"""

from datetime import datetime
from typing import Any

from django import template
from django.template import defaultfilters
from django.utils.translation import gettext as _

from config.reader import day_in_words, time_in_words, written_as, zone_in_words

register = template.Library()


@register.filter(expects_localtime=True, is_safe=False)
def date(value: Any, arg: str | None = None) -> str:
    """As Django's."""
    if arg == "DATE_FORMAT" and isinstance(value, datetime) and written_as.get():
        return day_in_words(value)
    return str(defaultfilters.date(value, arg))


@register.filter(expects_localtime=True, is_safe=False)
def time(value: Any, arg: str | None = None) -> str:
    """As Django's."""
    if arg == "TIME_FORMAT" and isinstance(value, datetime) and written_as.get():
        return time_in_words(value)
    return str(defaultfilters.time(value, arg))


@register.simple_tag
def whose_time() -> str:
    """Said once, below: an hour means nothing to who is elsewhere and does not know whose it is."""
    return _("All times are %(city)s time.") % {"city": zone_in_words()}
