"""Moments as staff read them: how long ago or how soon, and exactly."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _

RECENT = timedelta(days=14)
A_MINUTE = timedelta(minutes=1)


def moment(at: datetime, *, is_exact: bool = False) -> SafeString:
    """ "3 hours ago", or the date where it is far away; exactly when the pointer rests on it. `is_exact`: both."""
    local = timezone.localtime(at)
    exact, near = date_format(local, "DATETIME_FORMAT"), _relative(at)
    if is_exact:
        aside = format_html(' <span class="quiet">{}</span>', near) if near else ""
        return format_html('<time datetime="{}">{}</time>{}', local.isoformat(), exact, aside)
    text = near or date_format(local, "j M Y")
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), exact, text)


def _relative(at: datetime) -> str:
    """ "3 hours ago", "in 2 days"; "" where it is far away."""
    distance = timezone.now() - at
    if abs(distance) < A_MINUTE:
        return _("just now")
    if abs(distance) > RECENT:
        return ""
    if distance > timedelta():
        return _("%(time)s ago") % {"time": timesince(at, depth=1)}
    return _("in %(time)s") % {"time": timeuntil(at, depth=1)}
