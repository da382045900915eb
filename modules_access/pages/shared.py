"""What search engines and those with whom a page is shared are told of a module."""

import json
from typing import Any

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from accounts.pictures.models import WIDTHS
from accounts.pictures.pages import picture_path
from accounts.shop.identity import current_shop
from modules_access.models import Module
from payments.money import written_amount
from payments.pages.sitemap import SITEMAPS

SCHEMA = "https://schema.org"
# What would end the element, or begin another.
UNSAFE = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


class Modules(Sitemap):
    """Those that are on sale."""

    limit = 1000

    def items(self) -> Any:
        return Module.objects.on_sale().only("slug", "position")

    def location(self, item: Module) -> str:
        return reverse("module", args=[item.slug])


SITEMAPS["modules"] = Modules


def structured(module: Module) -> SafeString:
    """A `Course` as JSON, for a script element: https://developers.google.com/search/docs/appearance/structured-data/course"""
    address = f"{settings.SITE_URL}{reverse('module', args=[module.slug])}"
    told = {
        "@context": SCHEMA,
        "@type": "Course",
        "name": module.title,
        "description": module.summary or module.description,
        "url": address,
        "image": f"{settings.SITE_URL}{picture_path(module.picture, width=WIDTHS[-1])}" if module.picture else None,
        "provider": {"@type": "Organization", "name": current_shop().title or settings.SITE_NAME},
        "hasCourseInstance": {"@type": "CourseInstance", "courseMode": "Online"},
        "offers": {
            "@type": "Offer",
            "url": address,
            "category": "Paid" if module.price else "Free",
            "price": written_amount(module.price, module.currency),
            "priceCurrency": module.currency.upper(),
            "availability": f"{SCHEMA}/{'InStock' if module.is_on_sale else 'Discontinued'}",
        },
    }
    known = {name: value for name, value in told.items() if value}
    return mark_safe(json.dumps(known, ensure_ascii=False).translate(UNSAFE))
