"""What staff can do with accesses: extend them, take them back; each with a reason that is kept."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from modules_access.admin.forms import MomentField
from modules_access.models import ModuleAccess
from modules_access.services.grants import extend_access, revoke_access
from payments.admin.actions import apply_to_each
from payments.admin.confirm import SHOWN, ReasonForm, confirmation_page, reason_form

MOST_AT_ONCE = 100


class ExtendForm(ReasonForm):
    """Until when, and why."""

    until = MomentField(label=gettext_lazy("Until"))
    field_order = ("until", "reason")


@admin.action(description=gettext_lazy("Extend…"), permissions=["extend"])
def extend_action(screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> TemplateResponse | None:
    """Asks until when and why first, then lets the chosen ones last until then."""
    form = ExtendForm(request.POST if "confirmed" in request.POST else None)
    return _act(
        screen, request, rows, form, lambda row, **given: extend_access(access=row, **given),
        title=_("Extend these accesses?"), button=_("Extend now"), done=_("extended."), consequences=[
            _("They last until the date that you give; none gets shorter."),
            _("What a subscription or a token gives lasts as long as that: give an access of its own instead."),
        ],
    )  # fmt: skip


@admin.action(description=gettext_lazy("Take back…"), permissions=["revoke"])
def revoke_action(screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> TemplateResponse | None:
    """Asks why first, then takes the chosen ones back for good."""
    return _act(
        screen, request, rows, reason_form(request), lambda row, **given: revoke_access(access=row, **given),
        title=_("Take these accesses back?"), button=_("Take back now"), done=_("taken back."), consequences=[
            _("They end at once and for good: no payment and no renewal opens them again."),
            _("Other accesses of the same person to the same module stay; tokens that rest on these end with them."),
            _("No money moves, and nobody is written to."),
        ],
    )  # fmt: skip


def _act(
    screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet, form: ReasonForm, service: Callable[..., Any], *,
    title: str, button: str, done: str, consequences: list[str],
) -> TemplateResponse | None:  # fmt: skip
    """The page between, or what it was agreed to: the service for each row, and how many were done."""
    chosen = rows.order_by("pk")[:MOST_AT_ONCE]
    if not form.is_valid():
        told = [*consequences, *map(_as_it_is, chosen[:SHOWN])]
        return confirmation_page(screen, request, chosen, form=form, title=title, consequences=told, button=button)
    given = {"reason": form.cleaned_data["reason"], "by": request.user, "at": timezone.now()}
    if until := form.cleaned_data.get("until"):
        given["until"] = until
    apply_to_each(request, chosen, lambda row: service(row, **given), done=done)
    return None


def _as_it_is(row: ModuleAccess) -> str:
    """One sentence about one access, as it stands before."""
    told = {"number": row.number, "person": row.user, "module": row.module, "source": row.get_access_type_display()}
    if not row.is_active:
        return _("%(number)s, %(person)s, %(module)s (%(source)s): has ended.") % told
    if row.expires_at is None:
        return _("%(number)s, %(person)s, %(module)s (%(source)s): without end.") % told
    told["until"] = date_format(timezone.localtime(row.expires_at), "DATETIME_FORMAT")
    return _("%(number)s, %(person)s, %(module)s (%(source)s): until %(until)s") % told
