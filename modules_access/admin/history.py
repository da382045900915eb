"""What staff did about an access, as people read it."""

from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import pgettext_lazy

from modules_access.models import ModuleAccess
from modules_access.services.grants import ACTS

WORDS = {
    "granted": pgettext_lazy("what staff did", "given"),
    "extended": pgettext_lazy("what staff did", "extended"),
    "revoked": pgettext_lazy("what staff did", "taken back"),
}


def acts_text(row: ModuleAccess) -> str | SafeString:
    """When, what, by whom and why; the newest last. Strangers may have written some of it."""
    lines = (
        (_moment(act.get("at")), WORDS.get(act.get("what"), act.get("what", "")), act.get("by", ""), act.get("reason"))
        for act in row.metadata.get(ACTS, [])
    )
    return format_html_join("", "<div>{} · {} · {} · {}</div>", lines) or "–"


def _moment(stored: Any) -> str:
    moment = parse_datetime(str(stored))
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT") if moment and moment.tzinfo else str(stored)
