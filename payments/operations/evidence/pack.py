"""Puts the evidence of a dispute into one file: readable, printable, and without anything that opens something."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import structlog
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from payments.billing.mails import DISPUTE_REASONS
from payments.billing.models import Dispute
from payments.billing.receipts import find_receipt, seller
from payments.money import format_amount
from payments.operations.evidence.asked import asked_for
from payments.operations.evidence.case import Case, Entry, entries_of
from payments.operations.evidence.facts import facts_of
from payments.operations.evidence.mails import mails_to_buyer
from payments.operations.evidence.timeline import timeline

log = structlog.get_logger(__name__)
# A table that takes such a cell for a formula would run what a buyer wrote.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def pack_evidence(dispute: Dispute, *, by: str, at: datetime) -> bytes:
    """A ZIP file in the site's language. Reads only; times in UTC and in the site's zone."""
    case = Case.of(dispute)
    with translation.override(settings.LANGUAGE_CODE), timezone.override(settings.TIME_ZONE):
        files = _files(case, by=by, at=at)
    log.info("evidence.packed", dispute=dispute.stripe_id, by=by, files=sorted(files))
    return _zip(files, folder=dispute.stripe_id, at=at)


def _files(case: Case, *, by: str, at: datetime) -> dict[str, str]:
    story, access = timeline(case), entries_of(case, at=at)
    facts = facts_of(case, by=by, at=at)
    return {
        "README.txt": _page("README.txt", _readme(case, at=at)),
        "facts.json": json.dumps(facts, indent=2, ensure_ascii=False) + "\n",
        "timeline.csv": _table(story),
        "timeline.html": _page("log.html", {"title": _("What happened"), "entries": story, "case": case}),
        "access.csv": _table(access),
        "access.html": _page("log.html", {"title": _("Use of what was paid for"), "entries": access, "case": case}),
        "mails.html": _page("mails.html", {"mails": mails_to_buyer(case), "case": case}),
        "receipt.html": _page("receipt.html", _receipt(case, facts)),
    }


def _page(name: str, context: Mapping[str, object]) -> str:
    return render_to_string(f"evidence/{name}", {**context, "zone": settings.TIME_ZONE})


def _readme(case: Case, *, at: datetime) -> dict[str, object]:
    dispute = case.dispute
    return {
        "dispute": dispute,
        "amount": format_amount(dispute.amount, dispute.currency),
        "reason": DISPUTE_REASONS.get(dispute.reason, dispute.reason),
        "owner": case.subscription or (case.order.number if case.order else ""),
        "asked": asked_for(dispute.reason),
        "at": at,
        "days": (dispute.due_by - at).days if dispute.due_by else None,
    }


def _receipt(case: Case, facts: Mapping[str, object]) -> dict[str, object]:
    payment, order = case.payment, case.order
    is_order = case.subscription is None
    return {
        "case": case,
        "buyer": facts["buyer"],
        "number": find_receipt(order.pk) if order and is_order else None,
        "what": order.label if order and is_order else str(case.subscription.plan or "") if case.subscription else "",
        "paid": format_amount(payment.received, payment.currency) if payment and payment.currency else "",
        "refunded": format_amount(payment.refunded, payment.currency) if payment and payment.refunded else "",
        **seller(),
    }


def _table(entries: Iterable[Entry]) -> str:
    """As CSV; the byte order mark tells spreadsheets that it is UTF-8."""
    out = io.StringIO()
    write = csv.writer(out)
    write.writerow(["utc", settings.TIME_ZONE, _("what"), _("detail"), _("before"), _("after"), _("source")])
    for each in entries:
        here = timezone.localtime(each.at).isoformat(sep=" ", timespec="seconds")
        told = (each.what, each.detail, each.before, each.after, each.source)
        moment = each.at.astimezone(UTC).isoformat(sep=" ", timespec="seconds")
        write.writerow([moment, here, *map(_cell, told)])
    return "\ufeff" + out.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _zip(files: Mapping[str, str], *, folder: str, at: datetime) -> bytes:
    """The same files at the same moment make the same bytes."""
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, text in files.items():
            info = ZipInfo(f"{folder}/{name}", date_time=timezone.localtime(at).timetuple()[:6])
            info.compress_type = ZIP_DEFLATED
            archive.writestr(info, text.encode())
    return out.getvalue()
