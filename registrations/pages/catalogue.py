"""`/`: what one can register for, with the places that are left at this moment."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from registrations.models import Activity, WaitingEntry
from registrations.sales import Sale, sale_of

PER_PAGE = 60
LAST_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class Card:
    """One activity as it is offered."""

    activity: Activity
    sale: Sale


@require_safe
@cache_control(private=True, no_cache=True)
def catalogue(request: HttpRequest) -> HttpResponse:
    """What is on sale, the soonest first."""
    page = _page_number(request)
    found = cards(at=timezone.now(), page=page)
    context = {
        "cards": found[:PER_PAGE],
        "previous_page": page - 1,
        "next_page": page + 1 if len(found) > PER_PAGE else 0,
    }
    return render(request, "public/catalogue.html", context)


def cards(*, at: datetime, page: int = 1) -> list[Card]:
    """One page of what can be registered for, and one card more if there is another page. One query."""
    waiting = WaitingEntry.objects.filter(activity=OuterRef("pk"), offered__isnull=True)
    rows = Activity.objects.filter(is_on_sale=True, called_off_at=None, starts_at__gt=at)
    first = (page - 1) * PER_PAGE
    rows = rows.annotate(has_waiting=Exists(waiting)).order_by("starts_at", "pk")[first : first + PER_PAGE + 1]
    return [Card(row, sale_of(row, at=at, has_waiting=row.has_waiting)) for row in rows]


def _page_number(request: HttpRequest) -> int:
    """The page that was asked for; the first for anything odd."""
    told = request.GET.get("page", "")
    return min(max(int(told), 1), LAST_PAGE) if told.isascii() and told.isdigit() and len(told) < 9 else 1
