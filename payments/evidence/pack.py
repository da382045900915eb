"""Puts the evidence of a dispute into one file: readable, printable, and without anything that opens something."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import structlog
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from payments.billing.alerts import DISPUTE_REASONS
from payments.billing.models import Dispute
from payments.billing.receipts import find_receipt, seller
from payments.effects.deliver import Skip
from payments.effects.mail import as_sent, build, find_writer
from payments.effects.models import Effect
from payments.evidence.case import Case, access_log, effects_of, timeline
from payments.evidence.facts import facts_of
from payments.evidence.requirements import ACCESS, FACTS, MAILS, RECEIPT, requirements_for, still_missing
from payments.money import format_amount
from payments.statuses import EffectStatus
from payments.timeline import Moment

log = structlog.get_logger(__name__)
# A table that takes such a cell for a formula would run what a buyer wrote.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
STAFF_MAIL_PREFIX = "alert."
SENT_STATUSES = (EffectStatus.DONE, EffectStatus.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class SentMail:
    """One mail. `note`: how far the text can be trusted to be the one that was sent."""

    kind: str
    at: datetime
    to: str
    subject: str
    body: str
    note: str


def pack_evidence(dispute: Dispute, *, by: str, at: datetime) -> bytes:
    """A ZIP file in the site's language. Reads only; times in UTC and in the site's zone."""
    case = Case.of(dispute)
    with translation.override(settings.LANGUAGE_CODE), timezone.override(settings.TIME_ZONE):
        files = _files(case, by=by, at=at)
    log.info("evidence.packed", dispute=dispute.stripe_id, by=by, files=sorted(files))
    return _zip(files, folder=dispute.stripe_id, at=at)


def mails_to_buyer(case: Case) -> list[SentMail]:
    """Every mail that was sent to the buyer, in the order in which it went out; what goes to staff is left out."""
    sent = (effect for effect in effects_of(case) if effect.status in SENT_STATUSES)
    mails = [mail for effect in sent if not effect.kind.startswith(STAFF_MAIL_PREFIX) and (mail := _mail(effect, case))]
    return sorted(mails, key=lambda mail: mail.at)


def missing_evidence(dispute: Dispute, *, at: datetime) -> list[str]:
    """What the bank wants to see and the pack does not show, in the reader's language."""
    case = Case.of(dispute)
    at_hand = {FACTS}
    at_hand |= {RECEIPT} if case.payment and case.payment.received else set()
    at_hand |= {ACCESS} if access_log(case, at=at) else set()
    sent = (each for each in effects_of(case) if each.status in SENT_STATUSES and find_writer(each.kind))
    at_hand |= {MAILS} if any(not each.kind.startswith(STAFF_MAIL_PREFIX) for each in sent) else set()
    return still_missing(dispute.reason, at_hand=at_hand)


def _files(case: Case, *, by: str, at: datetime) -> dict[str, str]:
    story, access = timeline(case, at=at), access_log(case, at=at)
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
        "asked": requirements_for(dispute.reason),
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


def _table(entries: Iterable[Moment]) -> str:
    """As CSV; the byte order mark tells spreadsheets that it is UTF-8."""
    out = io.StringIO()
    write = csv.writer(out)
    write.writerow(["utc", settings.TIME_ZONE, _("what"), _("detail"), _("source")])
    for each in entries:
        here = timezone.localtime(each.at).isoformat(sep=" ", timespec="seconds")
        told = (each.told, each.detail, each.named)
        moment = each.at.astimezone(UTC).isoformat(sep=" ", timespec="seconds")
        write.writerow([moment, here, *map(_cell, told)])
    return "\ufeff" + out.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _zip(files: Mapping[str, str], *, folder: str, at: datetime) -> bytes:
    """Reproducible: equal files at an equal moment make equal bytes."""
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, text in files.items():
            info = ZipInfo(f"{folder}/{name}", date_time=timezone.localtime(at).timetuple()[:6])
            info.compress_type = ZIP_DEFLATED
            archive.writestr(info, text.encode())
    return out.getvalue()


def _mail(effect: Effect, case: Case) -> SentMail | None:
    write = find_writer(effect.kind)
    if write is None:
        return None
    at = effect.delivered_at or effect.claimed_at or effect.created_at
    notes = [] if effect.sent else [_("Written again from today’s state: the text of that day is not kept.")]
    if effect.status == EffectStatus.UNCERTAIN:
        notes.append(_("It is not certain that it went out."))
    if effect.sent:
        told = effect.sent
    elif isinstance(mail := write(effect), Skip):
        note = _("Its text cannot be written again: %s") % _(mail.reason)
        return SentMail(effect.kind, at, case.email, "", "", note)
    else:
        told = as_sent(build(mail, kind=effect.kind, key=effect.key))
    return SentMail(effect.kind, at, ", ".join(told["to"]), told["subject"], told["text"], " ".join(notes))
