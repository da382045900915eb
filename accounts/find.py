"""Finding from anywhere: what somebody types or pastes leads to the row that is called so, or to all it leads to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from accounts.menu import visible_screens

if TYPE_CHECKING:
    from accounts.staff_site import StaffScreen, StaffSite

FOUND_SHOWN = 10
TERM_MAX_CHARS = 255
Finder = Callable[[HttpRequest, str], HttpResponse | None]


@dataclass(frozen=True, slots=True)
class Found:
    """What one screen has found. `lines`: address and words; `list_address`: where all of it is, if there is more."""

    name: str
    lines: list[tuple[str, str]]
    list_address: str


def find_page(site: "StaffSite", request: HttpRequest) -> HttpResponse:
    """Straight to the row if exactly one is called so; else the finder's page, or what the screens have found."""
    term = request.GET.get("q", "").strip()[:TERM_MAX_CHARS]
    if term and (address := find_row(site, request, term)):
        return HttpResponseRedirect(address)
    if term and site.finder and (answer := site.finder(request, term)):
        return answer
    groups = find_all(site, request, term) if term else []
    if len(groups) == 1 and len(groups[0].lines) == 1:
        return HttpResponseRedirect(groups[0].lines[0][0])
    context = {**site.each_context(request), "title": _("Search"), "term": term, "groups": groups}
    return TemplateResponse(request, "admin/kit/find.html", context)


def find_row(site: "StaffSite", request: HttpRequest, term: str) -> str | None:
    """The address of the one row that is called so; one query for all screens."""
    screens = _screens(site, request)
    keys = _keys({label: _rows(screen, request, screen.named(term)) for label, screen in screens.items()}, most=2)
    found = [(label, key) for label, some in keys.items() for key in some]
    return _address(screens[found[0][0]], "change", found[0][1]) if len(found) == 1 else None


def find_all(site: "StaffSite", request: HttpRequest, term: str) -> list[Found]:
    """What each screen has found that who asks may see, in the order of the menu; FOUND_SHOWN rows of each at most.

    One query finds the keys for all screens, one for each that has found some reads their rows.
    """
    screens = _screens(site, request)
    rows = {label: _rows(screen, request, screen.found(term)) for label, screen in screens.items()}
    keys = _keys(rows, most=FOUND_SHOWN + 1)
    return [_found(screen, request, term, keys[label]) for label, screen in screens.items() if label in keys]


def _found(screen: "StaffScreen", request: HttpRequest, term: str, keys: list[str]) -> Found:
    rows = _plain_rows(screen, request).filter(pk__in=keys[:FOUND_SHOWN]).order_by("-pk")
    more = f"{_address(screen, 'changelist')}?{urlencode({'q': term})}" if len(keys) > FOUND_SHOWN else ""
    lines = [(_address(screen, "change", row.pk), str(row)) for row in rows]
    return Found(str(capfirst(screen.opts.verbose_name_plural)), lines, more)


def _screens(site: admin.AdminSite, request: HttpRequest) -> dict[str, "StaffScreen"]:
    screens = visible_screens(site._registry, request)
    return {label: cast("StaffScreen", screen) for label, screen in screens if hasattr(screen, "found")}


def _plain_rows(screen: "StaffScreen", request: HttpRequest) -> QuerySet:
    """Without what the list shows beside them."""
    return screen.get_queryset(request).prefetch_related(None).select_related(None)


def _rows(screen: "StaffScreen", request: HttpRequest, condition: Q | None) -> QuerySet | None:
    return None if condition is None else _plain_rows(screen, request).filter(condition)


def _keys(rows: Mapping[str, QuerySet | None], *, most: int) -> dict[str, list[str]]:
    """The keys of the rows under each label, in one query; the newest first."""
    limited = [
        each.order_by("-pk").values_list(Value(label), Cast("pk", CharField()))[:most]
        for label, each in rows.items()
        if each is not None
    ]
    if not limited:
        return {}
    keys: dict[str, dict[str, None]] = {}
    first, *others = limited
    for label, key in first.union(*others, all=True) if others else first:
        keys.setdefault(label, {})[key] = None  # once, whatever it was found by
    return {label: list(some) for label, some in keys.items()}


def _address(screen: admin.ModelAdmin, page: str, *args: object) -> str:
    return reverse(f"admin:{screen.opts.app_label}_{screen.opts.model_name}_{page}", args=args)
