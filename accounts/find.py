"""Finding from anywhere: what somebody types or pastes leads to the row that is called so, or to all it leads to."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import CharField, Model, Q, QuerySet, Value
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
    context = {
        **site.each_context(request),
        "title": _("Search"),
        "term": term,
        "groups": list(find_all(site, request, term)) if term else [],
    }
    return TemplateResponse(request, "admin/kit/find.html", context)


def find_row(site: "StaffSite", request: HttpRequest, term: str) -> str | None:
    """The address of the one row that is called so; one query for all screens."""
    screens = _screens(site, request)
    keys = _keys({label: _rows(screen, request, screen.named(term)) for label, screen in screens.items()}, most=2)
    if len(keys) != 1:
        return None
    [(label, key)] = keys
    return _address(screens[label], "change", key)


def find_all(site: "StaffSite", request: HttpRequest, term: str) -> Iterator[Found]:
    """What each screen has found that who asks may see, in the order of the menu; FOUND_SHOWN rows of each at most."""
    for screen in _screens(site, request).values():
        if (rows := _rows(screen, request, screen.found(term))) is None:
            continue
        found = list(rows.order_by("-pk").distinct()[: FOUND_SHOWN + 1])
        if found:
            lines = [(_address(screen, "change", row.pk), str(row)) for row in found[:FOUND_SHOWN]]
            more = f"{_address(screen, 'changelist')}?{urlencode({'q': term})}" if len(found) > FOUND_SHOWN else ""
            yield Found(str(capfirst(screen.opts.verbose_name_plural)), lines, more)


def _screens(site: admin.AdminSite, request: HttpRequest) -> dict[str, "StaffScreen"]:
    screens = visible_screens(site._registry, request)
    return {label: cast("StaffScreen", screen) for label, screen in screens if hasattr(screen, "found")}


def _rows(screen: Any, request: HttpRequest, condition: Q | None) -> QuerySet | None:
    return None if condition is None else screen.get_queryset(request).filter(condition)


def _keys(rows: Mapping[str, QuerySet[Model] | None], *, most: int) -> list[tuple[str, str]]:
    """Label and key of the rows, in one query."""
    limited = [
        each.order_by().annotate(**{"_key": Cast("pk", CharField())}).values_list(Value(label), "_key")[:most]
        for label, each in rows.items()
        if each is not None
    ]
    if not limited:
        return []
    first, *others = limited
    return list(first.union(*others, all=True) if others else first)


def _address(screen: admin.ModelAdmin, page: str, *args: object) -> str:
    return reverse(f"admin:{screen.opts.app_label}_{screen.opts.model_name}_{page}", args=args)
