"""`/`: what one can register for: searched, filtered by links, a page at a time; the full ones last."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from math import ceil
from typing import Any, cast
from urllib.parse import urlencode

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncMonth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from registrations.models import Activity, Sale

PER_PAGE = 24
MAX_PAGE_NUMBER = 10_000
MONTH = re.compile(r"2\d{3}-(0[1-9]|1[0-2])", re.ASCII)
MAX_WORDS_LENGTH, MAX_CITY_LENGTH = 100, 100
# More would be no choice but a list to be searched.
CHOICES_SHOWN = 12


@dataclass(frozen=True, slots=True)
class ActivityCard:
    """One activity as it is offered."""

    activity: Activity
    sale: Sale


@dataclass(frozen=True, slots=True)
class Choice:
    """A link that narrows the list, or (where it is chosen) widens it again."""

    label: str
    address: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for; what makes no sense in it is left out. `month`: its first day."""

    words: str = ""
    month: date | None = None
    city: str = ""
    is_free: bool = False
    has_places: bool = False
    page: int = 1

    @classmethod
    def read(cls, request: HttpRequest) -> "Asked":
        """From the query of the address."""
        told = {name: str(value).strip() for name, value in request.GET.items()}
        return cls(
            words=told.get("q", "")[:MAX_WORDS_LENGTH],
            month=_month(told.get("month", "")),
            city=told.get("city", "")[:MAX_CITY_LENGTH],
            is_free="free" in told,
            has_places="places" in told,
            page=_page_number(told.get("page", "")),
        )

    @property
    def is_filtered(self) -> bool:
        """Whether it is not simply everything."""
        return replace(self, page=1) != Asked()

    @property
    def address(self) -> str:
        """Where the same is asked for."""
        query = urlencode(self.parameters)
        return f"{reverse('catalogue')}{'?' if query else ''}{query}"

    @property
    def parameters(self) -> dict[str, str]:
        """As the address has them."""
        told = {
            "q": self.words,
            "month": f"{self.month:%Y-%m}" if self.month else "",
            "city": self.city,
            "free": "1" if self.is_free else "",
            "places": "1" if self.has_places else "",
            "page": str(self.page) if self.page > 1 else "",
        }
        return {name: value for name, value in told.items() if value}

    def but(self, **changes: Any) -> str:
        """The address of the first page where this is different."""
        return replace(self, **{"page": 1, **changes}).address

    def of(self, rows: QuerySet[Activity]) -> QuerySet[Activity]:
        """Those of the rows that are asked for, in the order of the catalogue."""
        found = cast(Any, rows).matching(self.words).free_ones_first()
        if self.month:
            found = found.filter(starts_at__gte=_midnight(self.month), starts_at__lt=_midnight(_next(self.month)))
        if self.city:
            found = found.filter(city=self.city)
        if self.is_free:
            found = found.filter(price=0)
        return found.filter(is_full=False) if self.has_places else found


@require_safe
@cache_control(private=True, no_cache=True)
def catalogue(request: HttpRequest) -> HttpResponse:
    """What is on sale; four statements, however much there is."""
    now, asked = timezone.now(), Asked.read(request)
    coming = Activity.objects.coming(at=now)
    found = asked.of(coming)
    total = found.order_by().count()
    pages = max(1, ceil(total / PER_PAGE))
    asked = replace(asked, page=min(asked.page, pages))
    first = (asked.page - 1) * PER_PAGE
    rows = found.select_related("picture").defer("picture__narrow", "picture__wide")[first : first + PER_PAGE]
    cards = [ActivityCard(row, row.sale_at(now, has_waiting=cast(Any, row).is_full)) for row in rows]
    context = {
        "asked": asked, "cards": cards, "total": total, "first": first + 1, "last": first + len(cards),
        "page": asked.page, "pages": pages, "cities": _cities(coming, asked), "months": _months(coming, asked),
        "others": _others(asked), "everything": reverse("catalogue"),
        "previous_page": asked.but(page=asked.page - 1) if asked.page > 1 else "",
        "next_page": asked.but(page=asked.page + 1) if asked.page < pages else "",
    }  # fmt: skip
    return render(request, "public/catalogue.html", context)


def _cities(coming: QuerySet[Activity], asked: Asked) -> list[Choice]:
    """Those with most activities, by name."""
    counted = coming.exclude(city="").order_by().values("city").annotate(count=Count("pk"))
    names = {row["city"] for row in counted.order_by("-count", "city")[:CHOICES_SHOWN]} | {asked.city}
    return [
        Choice(name, asked.but(city="" if name == asked.city else name), name == asked.city)
        for name in sorted(names - {""})
    ]


def _months(coming: QuerySet[Activity], asked: Asked) -> list[Choice]:
    """Those in which something takes place."""
    begun = coming.order_by().annotate(month=TruncMonth("starts_at")).values_list("month", flat=True).distinct()
    found = [timezone.localdate(month).replace(day=1) for month in begun.order_by("month")[:CHOICES_SHOWN]]
    return [
        Choice(
            date_format(month, "YEAR_MONTH_FORMAT"), asked.but(month=None if month == asked.month else month),
            month == asked.month,
        )
        for month in found
    ]  # fmt: skip


def _others(asked: Asked) -> list[Choice]:
    """What is either asked for or not."""
    return [
        Choice(_("With places left"), asked.but(has_places=not asked.has_places), asked.has_places),
        Choice(_("Free of charge"), asked.but(is_free=not asked.is_free), asked.is_free),
    ]


def _page_number(text: str) -> int:
    """The page that was asked for; the first for anything odd."""
    return min(max(int(text), 1), MAX_PAGE_NUMBER) if text.isascii() and text.isdigit() and len(text) < 9 else 1


def _month(text: str) -> date | None:
    """The first day of "2026-11"; None for anything odd."""
    return date.fromisoformat(f"{text}-01") if MONTH.fullmatch(text) else None


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _midnight(day: date) -> datetime:
    """In the site's zone."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone())
