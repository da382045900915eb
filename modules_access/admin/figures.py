"""The page of figures: what was created, withdrawn and verified in a period, each number with the list behind it."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from modules_access.admin.kit import list_of
from modules_access.figures import BUCKET_BOUNDS_MS, Figures, read_figures
from modules_access.jwt import REFUSAL_SENTENCES
from modules_access.models import AccessEnd, AccessType
from payments.admin.kit.display import NONE

PERIODS_DAYS = (7, 30, 90)
DEFAULT_PERIOD_DAYS = 30
Line = tuple[str, int, str]


def figures_page(screen: admin.ModelAdmin, request: HttpRequest, *, at: datetime) -> TemplateResponse:
    """The figures of the last 7, 30 or 90 days (`?days=`). Raises PermissionDenied."""
    if not screen.has_view_permission(request):
        raise PermissionDenied
    asked = request.GET.get("days", "")
    days = int(asked) if asked in map(str, PERIODS_DAYS) else DEFAULT_PERIOD_DAYS
    figures = read_figures(since=at - timedelta(days=days), until=at)
    context: dict[str, Any] = {
        **screen.admin_site.each_context(request),
        "title": _("Modules: figures"),
        "opts": screen.opts,
        "days": days,
        "periods": PERIODS_DAYS,
        "figures": figures,
        "created": _created(figures),
        "withdrawn": _withdrawn(figures),
        "refused": [(_sentence(code), code, number) for code, number in figures.refused.items()],
        "refusals": sum(figures.refused.values()),
        "median": _milliseconds(figures.median),
        "p95": _milliseconds(figures.p95),
    }
    return TemplateResponse(request, "admin/modules_access/figures.html", context)


def _created(figures: Figures) -> list[Line]:
    """Source in words, how many, and the list of them."""
    period = _period("created_at", figures)
    return [
        (str(AccessType(source).label), number, list_of("moduleaccess", access_type__exact=source, **period))
        for source, number in figures.created.items()
    ]


def _withdrawn(figures: Figures) -> list[tuple[str, str, int, str]]:
    """Source and reason in words, how many, and the list of them."""
    period = _period("ended_at", figures)
    return [
        (
            str(AccessType(source).label), str(AccessEnd(reason).label), number,
            list_of("moduleaccess", access_type__exact=source, ended_reason__exact=reason, **period),
        )
        for source, reasons in figures.withdrawn.items()
        for reason, number in reasons.items()
    ]  # fmt: skip


def _period(column: str, figures: Figures) -> dict[str, str]:
    return {f"{column}__gte": figures.since.isoformat(), f"{column}__lt": figures.until.isoformat()}


def _sentence(code: str) -> str:
    return str(REFUSAL_SENTENCES.get(code, code))


def _milliseconds(value: float | None) -> str:
    """ "1.5 ms"; a dash where nothing was verified."""
    if value is None:
        return NONE
    if value >= BUCKET_BOUNDS_MS[-1]:
        return _("%s ms or more") % number_format(BUCKET_BOUNDS_MS[-1])
    return _("%s ms") % number_format(value, decimal_pos=1)
