"""Who has paid and is not let in: what the night's repair would heal, on one page, with the repair at hand."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from modules_access.repair.repair import REPAIR_AT
from modules_access.repair.sources import MissingAccess, find_missing
from payments.admin.base import link_to
from payments.orders.models import Order

MOST_LINES = 100


def paid_without_page(screen: admin.ModelAdmin, request: HttpRequest, *, at: datetime) -> TemplateResponse:
    """The oldest first, at most a hundred."""
    found = find_missing(at=at, limit=MOST_LINES + 1)
    shown = found[:MOST_LINES]
    context: dict[str, Any] = {
        **screen.admin_site.each_context(request),
        "title": _("Paid without access"),
        "opts": screen.opts,
        "lines": [_line(row) for row in shown],
        "keys": list(dict.fromkeys(row.key for row in shown)),
        "has_more": len(found) > MOST_LINES,
        "most": MOST_LINES,
        "next_repair": next_repair(at),
    }
    return TemplateResponse(request, "admin/modules_access/paid_without.html", context)


def next_repair(at: datetime) -> datetime:
    """When the timetable repairs by itself."""
    today = localtime(at).replace(hour=REPAIR_AT.hour, minute=REPAIR_AT.minute, second=0, microsecond=0)
    return today if today > at else today + timedelta(days=1)


def _line(row: MissingAccess) -> dict[str, Any]:
    source = link_to(row.source, row.source.number if isinstance(row.source, Order) else str(row.source))
    query = urlencode({"user": row.user.pk, "module": row.module.pk})
    return {
        "person": link_to(row.user), "module": row.module, "source": source, "since": row.since, "price": row.price,
        "key": row.key, "why": f"{reverse('admin:modules_access_doctor')}?{query}",
    }  # fmt: skip
