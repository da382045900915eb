"""Who has paid and is not let in, on one page; and the repair of what somebody chooses there, shown field by field."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from modules_access.doctor.diagnosis import format_end
from modules_access.models import AccessEnd, ModuleAccess
from modules_access.repair import Difference, RepairOptions, Report, repair_chosen
from modules_access.repair.repair import REPAIR_AT
from modules_access.repair.sources import MissingAccess, find_missing, sources_by_key
from payments.admin.kit.actions import Confirmation
from payments.admin.kit.display import NONE, link_to
from payments.admin.kit.preview import Line, Preview, PreviewedAction, PreviewOutdated, PreviewToken
from payments.orders.models import Order

MISSING_SHOWN = 100
SOURCES_REPAIRED_AT_ONCE = 200
FINGERPRINT_CHARS = 32
MISSING_PAGE = "admin:modules_access_paid_without"


def missing_page(screen: admin.ModelAdmin, request: HttpRequest, *, at: datetime) -> TemplateResponse:
    """Whose access is missing, the oldest first, at most a hundred; with when the night repairs them by itself."""
    found = find_missing(at=at, limit=MISSING_SHOWN + 1)
    shown = found[:MISSING_SHOWN]
    context: dict[str, Any] = {
        **screen.admin_site.each_context(request),
        "title": _("Paid without access"),
        "opts": screen.opts,
        "lines": [_missing_line(row) for row in shown],
        "keys": list(dict.fromkeys(row.key for row in shown)),
        "has_more": len(found) > MISSING_SHOWN,
        "most": MISSING_SHOWN,
        "next_repair": next_repair(at),
    }
    return TemplateResponse(request, "admin/modules_access/missing_accesses.html", context)


def next_repair(at: datetime) -> datetime:
    """When the timetable repairs by itself."""
    today = localtime(at).replace(hour=REPAIR_AT.hour, minute=REPAIR_AT.minute, second=0, microsecond=0)
    return today if today > at else today + timedelta(days=1)


def _missing_line(row: MissingAccess) -> dict[str, Any]:
    source = link_to(row.source, row.source.number if isinstance(row.source, Order) else str(row.source))
    query = urlencode({"user": row.user.pk, "module": row.module.pk})
    return {
        "person": link_to(row.user), "module": row.module, "source": source, "since": row.since, "price": row.price,
        "key": row.key, "doctor": f"{reverse('admin:modules_access_doctor')}?{query}",
    }  # fmt: skip


class RepairAction(PreviewedAction[Sequence[str]]):
    """Repairs the sources that these keys name ("order:12"); the query leads back to where one came from."""

    columns = (gettext_lazy("What"), gettext_lazy("Now"), gettext_lazy("Then"))

    def preview(self, target: Sequence[str], *, at: datetime) -> Preview:
        report = repair_chosen(
            sources_by_key(target), options=RepairOptions(at=at, by="preview", dry_run=True, is_looked_at=True)
        )
        title = ngettext("Put %(count)d access right?", "Put %(count)d accesses right?", report.total)
        return Preview(
            title=title % {"count": report.total},
            token=_fingerprints(report),
            sections=[_section(each) for each in report.differences],
            consequences=_consequences(report),
            outcome=replace(report.outcome, changes=[]),
        )

    @transaction.atomic
    def carry_out(self, target: Sequence[str], confirmation: Confirmation, *, token: PreviewToken) -> int:
        options = RepairOptions(at=confirmation.at, by=confirmation.author, is_looked_at=True)
        report = repair_chosen(sources_by_key(target), options=options)
        if report.total and _fingerprints(report) != token:
            raise PreviewOutdated(_("Something has changed since: these are the differences now."))
        return report.total

    def done_message(self, count: int) -> str:
        done = ngettext("%(count)d access was put right.", "%(count)d accesses were put right.", count)
        return done % {"count": count}

    def address_after(self, request: HttpRequest, target: Sequence[str]) -> str:
        query = request.GET.urlencode()
        return f"{reverse('admin:modules_access_doctor')}?{query}" if query else reverse(MISSING_PAGE)


REPAIR = RepairAction()


def repair_page(screen: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """What differs and the question, or what it was agreed to."""
    keys = request.POST.getlist(ACTION_CHECKBOX_NAME)[:SOURCES_REPAIRED_AT_ONCE]
    return REPAIR.answer(screen, request, keys)


def _fingerprints(report: Report) -> PreviewToken:
    prints = (sha256(each.fingerprint.encode()).hexdigest()[:FINGERPRINT_CHARS] for each in report.differences)
    return {"accesses": sorted([*prints, *report.outcome.fingerprints])}


def _consequences(report: Report) -> list[str]:
    count = report.mails.total()
    mails = ngettext("%(count)d e-mail goes out.", "%(count)d e-mails go out.", count) % {"count": count}
    return [
        _("Each access then matches its order, subscription or token. Nothing else changes."),
        mails if count else _("No e-mail goes out: the people concerned have already been notified."),
        _("It is applied only if the differences are still those shown here."),
    ]


def _section(each: Difference) -> tuple[str, list[Line]]:
    access = each.access or _("no access")
    title = f"{access} · {each.person} · {each.module} · {each.source}"
    return title, [(_label(name), _value_text(name, was), _value_text(name, now)) for name, was, now in each.fields]


def _label(name: str) -> str:
    return str(capfirst(ModuleAccess._meta.get_field(name).verbose_name))  # type: ignore[union-attr]


def _value_text(name: str, stored: str) -> str:
    """As people read it; a row that is not there has nothing."""
    if name == "expires_at" and stored:
        return format_end(parse_datetime(stored) if stored != "never" else None)
    if name == "is_active" and stored:
        return _("yes") if stored == "yes" else _("no")
    if name == "ended_reason" and stored:
        return str(AccessEnd(stored).label)
    return stored or NONE
