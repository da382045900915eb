"""What search engines and those with whom a page is shared are told of an activity."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from accounts.pictures.models import WIDTHS
from accounts.pictures.pages import picture_path
from payments.money import written_amount
from payments.pages.sitemap import SITEMAPS
from registrations.links import activity_url
from registrations.models import Activity, Sale

SCHEMA = "https://schema.org"
AVAILABLE = {Sale.OPEN: f"{SCHEMA}/InStock", Sale.FULL: f"{SCHEMA}/SoldOut"}
# What would end the element, or begin another.
UNSAFE = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


class Activities(Sitemap):
    """Those that are on sale."""

    limit = 1000

    def items(self) -> Any:
        return Activity.objects.coming(at=timezone.now()).only("slug", "starts_at")

    def location(self, item: Activity) -> str:
        return reverse("activity", args=[item.slug])


SITEMAPS["activities"] = Activities


def structured(activity: Activity, sale: Sale) -> SafeString:
    """An `Event` as JSON, for a script element: https://developers.google.com/search/docs/appearance/structured-data/event"""
    called_off = activity.called_off_at is not None
    told = {
        "@context": SCHEMA,
        "@type": "Event",
        "name": activity.name,
        "description": activity.short_text or activity.long_text,
        "url": activity_url(activity),
        "startDate": _moment(activity.starts_at),
        "endDate": _moment(activity.ends_at) if activity.ends_at else None,
        "eventStatus": f"{SCHEMA}/{'EventCancelled' if called_off else 'EventScheduled'}",
        "eventAttendanceMode": f"{SCHEMA}/OfflineEventAttendanceMode",
        "location": {"@type": "Place", "name": activity.place or activity.city, "address": activity.where},
        "image": f"{settings.SITE_URL}{picture_path(activity.picture, width=WIDTHS[-1])}" if activity.picture else None,
        "offers": {
            "@type": "Offer",
            "url": activity_url(activity),
            "price": written_amount(activity.price, activity.currency),
            "priceCurrency": activity.currency.upper(),
            "availability": AVAILABLE.get(sale, f"{SCHEMA}/Discontinued"),
        },
    }
    return mark_safe(json.dumps(dict(_known(told.items())), ensure_ascii=False).translate(UNSAFE))


def _known(pairs: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, Any]]:
    return ((name, value) for name, value in pairs if value)


def _moment(moment: datetime) -> str:
    return timezone.localtime(moment).isoformat()
