"""What every public page shows, an error page too: it asks neither the database nor the session."""

from datetime import datetime
from urllib.parse import urlencode

from django import template
from django.conf import settings
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.pictures.models import WIDTHS, Picture
from accounts.pictures.pages import picture_path, shown_size
from accounts.shop.identity import Identity
from payments.money import day_in_words, time_in_words

register = template.Library()
# So many are in sight when the page opens.
PICTURES_AT_ONCE = 3
MINUTES_OF_A_DAY = 24 * 60
# In pixels.
LOGO_HEIGHT = 36


@register.filter
def called(shop: Identity) -> str:
    """Who sells here; a site that has not said so is called by what it offers."""
    return shop.title or _("Activities")


@register.simple_tag
def is_test_mode() -> bool:
    """Whether no real money moves."""
    return not settings.STRIPE_LIVEMODE


@register.simple_tag
def site_address(path: str) -> str:
    """The path with the site before it, for those who read the page elsewhere."""
    return f"{settings.SITE_URL}{path}"


@register.simple_tag
def picture(shown: Picture, *, lazy: int = 0, width: int = 400) -> str:
    """It says nothing that the text beside it does not. `lazy`: so many stand before it; the first load at once."""
    narrow, wide = (picture_path(shown, width=each) for each in WIDTHS)
    return format_html(
        '<img src="{}" srcset="{} {}w, {} {}w" sizes="{}" width="{}" height="{}" alt=""{}>',
        narrow, narrow, WIDTHS[0], wide, WIDTHS[1], f"(max-width: 30rem) 90vw, {width}px",
        *shown_size(shown, width=width), mark_safe(' loading="lazy"') if lazy >= PICTURES_AT_ONCE else "",
    )  # fmt: skip


@register.simple_tag
def logo(shown: Picture) -> str:
    """As high as a line of the head of the page; the name stands beside it."""
    height = LOGO_HEIGHT
    width = max(1, round(shown.width * height / shown.height))
    return format_html(
        '<img src="{}" width="{}" height="{}" alt="">', picture_path(shown, width=WIDTHS[0]), width, height
    )


@register.simple_tag
def picture_address(shown: Picture | None) -> str:
    """Its wide form; "" for none."""
    return picture_path(shown, width=WIDTHS[-1]) if shown else ""


@register.simple_tag
def when(moment: datetime, ends: datetime | None = None) -> str:
    """From when, and until when where that is known: in the site's time zone, for people and for programs."""
    local = localtime(moment)
    told = format_html('<time datetime="{}">{}</time>', local.isoformat(), said(moment))
    if ends is None:
        return told
    end = localtime(ends)
    words = time_of(end) if end.date() == local.date() else said(ends)
    return format_html('{} – <time datetime="{}">{}</time>', told, end.isoformat(), words)


def said(moment: datetime) -> str:
    """ "Saturday, 5 December 2026 at 2 p.m." """
    local = localtime(moment)
    parts = {
        "weekday": capfirst(date_format(local, "l")),
        "day": day_in_words(moment),
        "time": time_of(local),
    }
    return _("%(weekday)s, %(day)s at %(time)s") % parts


def time_of(local: datetime) -> str:
    """ "4 p.m." is one word for the line break."""
    return time_in_words(local)


@register.simple_tag
def lasts(moment: datetime, ends: datetime) -> str:
    """How long: "3 hours", "2 days"; "" where the days say it."""
    minutes = round((ends - moment).total_seconds() / 60)
    if minutes >= MINUTES_OF_A_DAY:
        return ""
    hours, rest = divmod(minutes, 60)
    told = [ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}] if hours else []
    if rest:
        told.append(ngettext("%(count)d minute", "%(count)d minutes", rest) % {"count": rest})
    return " ".join(told)


@register.simple_tag
def map_link(where: str) -> str:
    """Where a map shows it, without a key and without anybody looking over one's shoulder from our page."""
    return f"https://www.openstreetmap.org/search?{urlencode({'query': where})}"
