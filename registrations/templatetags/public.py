"""What every public page shows, an error page too: it asks neither the database nor the session."""

from datetime import datetime

from django import template
from django.conf import settings
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from accounts.shop.identity import Identity

register = template.Library()


@register.filter
def called(shop: Identity) -> str:
    """Who sells here; a site that has not said so is called by what it offers."""
    return shop.title or _("Activities")


@register.simple_tag
def is_test_mode() -> bool:
    """Whether no real money moves."""
    return not settings.STRIPE_LIVEMODE


@register.simple_tag
def when(moment: datetime) -> str:
    """The moment in the site's time zone, in words, for people and for programs."""
    local = localtime(moment)
    parts = {
        "weekday": capfirst(date_format(local, "l")),
        "day": date_format(local, "DATE_FORMAT"),
        # "4 p.m." is one word for the line break.
        "time": date_format(local, "TIME_FORMAT").replace(" ", "\N{NO-BREAK SPACE}"),
    }
    return format_html(
        '<time datetime="{}">{}</time>', local.isoformat(), _("%(weekday)s, %(day)s at %(time)s") % parts
    )
