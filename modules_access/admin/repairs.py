"""The repair of what somebody has chosen: shown field by field, done with a reason and only as it was shown."""

import json
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from modules_access.doctor.diagnosis import format_end
from modules_access.models import AccessEnd, ModuleAccess
from modules_access.repair import Difference, RepairOptions, Report, repair_chosen
from modules_access.repair.sources import sources_by_key
from payments.admin.confirm import confirmation_page
from payments.admin.resync import LONGEST_BY, ShownForm

MOST_CHOSEN = 200
NOTHING = "–"


def repair_page(screen: admin.ModelAdmin, request: HttpRequest, *, at: datetime) -> HttpResponse:
    """What differs and the question, or what it was agreed to. The query leads back to where one came from."""
    form = ShownForm(request.POST if "confirmed" in request.POST else None)
    if not form.is_valid():
        return _preview(screen, request, form, at=at)
    by = f"{request.user.get_username()[:LONGEST_BY]}: {form.cleaned_data['reason']}"
    with transaction.atomic():
        report = repair_chosen(sources_by_key(_keys(request)), options=RepairOptions(at=at, by=by))
        is_as_shown = not report.total or signs_of(report) == form.cleaned_data["shown"]
        transaction.set_rollback(not is_as_shown)
    if not is_as_shown:
        messages.warning(request, _("Something has changed since: this is what differs now."))
        return _preview(screen, request, ShownForm(None), at=at)
    _tell(request, report.total)
    return _back(request)


def signs_of(report: Report) -> dict[str, list[str]]:
    """What stands for the differences where somebody agrees to them."""
    return {"accesses": sorted(sha256(each.fingerprint.encode()).hexdigest()[:32] for each in report.differences)}


def _preview(screen: admin.ModelAdmin, request: HttpRequest, form: ShownForm, *, at: datetime) -> HttpResponse:
    """Does it and rolls it back: what is shown is what would happen."""
    report = repair_chosen(sources_by_key(_keys(request)), options=RepairOptions(at=at, by="preview", dry_run=True))
    if not report.total:
        _tell(request, 0)
        return _back(request)
    form.initial["shown"] = signs_of(report)
    if form.is_bound:
        # A reason that is missing must not bind what is shown now to what was shown before.
        form.data = {**request.POST.dict(), "shown": json.dumps(form.initial["shown"])}
    title = ngettext("Put %(count)d access right?", "Put %(count)d accesses right?", report.total)
    page = confirmation_page(
        screen, request, ModuleAccess.objects.none(), form=form, title=title % {"count": report.total},
        consequences=_consequences(report), button=_("Put right now"),
    )  # fmt: skip
    page.template_name = "admin/modules_access/confirm_repair.html"
    page.context_data = {**(page.context_data or {}), "differences": [_shown(each) for each in report.differences]}
    return page


def _consequences(report: Report) -> list[str]:
    count = report.mails.total()
    mails = ngettext("%(count)d e-mail goes out.", "%(count)d e-mails go out.", count) % {"count": count}
    return [
        _("Each access then says what its order, its subscription or its token says. Nothing else changes."),
        mails if count else _("No e-mail goes out: whoever it concerns has been told already."),
        _("It is done only if what differs is still what you see here."),
    ]


def _shown(each: Difference) -> dict[str, Any]:
    title = f"{each.access or _('no access')} · {each.person} · {each.module} · {each.source}"
    return {
        "title": title,
        "fields": [(_label(name), _value(name, was), _value(name, now)) for name, was, now in each.fields],
    }


def _label(name: str) -> str:
    return str(capfirst(ModuleAccess._meta.get_field(name).verbose_name))  # type: ignore[union-attr]


def _value(name: str, stored: str) -> str:
    """As people read it; a row that is not there has nothing."""
    if name == "expires_at" and stored:
        return format_end(parse_datetime(stored) if stored != "never" else None)
    if name == "is_active" and stored:
        return _("yes") if stored == "yes" else _("no")
    if name == "ended_reason" and stored:
        return str(AccessEnd(stored).label)
    return stored or NOTHING


def _tell(request: HttpRequest, count: int) -> None:
    if count:
        told = ngettext("%(count)d access was put right.", "%(count)d accesses were put right.", count)
        messages.success(request, told % {"count": count})
    else:
        messages.info(request, _("Nothing differs any more."))


def _keys(request: HttpRequest) -> list[str]:
    return request.POST.getlist(ACTION_CHECKBOX_NAME)[:MOST_CHOSEN]


def _back(request: HttpRequest) -> HttpResponse:
    if query := request.GET.urlencode():
        return redirect(f"{reverse('admin:modules_access_doctor')}?{query}")
    return redirect("admin:modules_access_paid_without")
