"""Where an id is shown, and JSON in which every known id is a link."""

import json
import re
from typing import Any

from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from stripe_emulator.models import Event, Json, StoredObject

QUOTED_ID = re.compile(r'(?<=")([a-z]{2,10}_[A-Za-z0-9_]{6,240})(?=")')


def address(id: str) -> str:
    """The console's page of an object or event."""
    return reverse("console-event" if id.startswith("evt_") else "console-object", args=[id])


def is_known(id: str) -> bool:
    """Whether an object or event has this id. PostgreSQL does not even take the question about a zero byte."""
    return "\0" not in id and id in _known({id})


def pretty(shown: Json) -> SafeString:
    """Indented JSON, escaped, with links to what there is."""
    pieces = QUOTED_ID.split(json.dumps(_in_order(shown), indent=2, ensure_ascii=False))
    known = _known(set(pieces[1::2]))
    return mark_safe("".join(_linked(piece) if piece in known else escape(piece) for piece in pieces))


def _in_order(shown: Any) -> Any:
    """As Stripe writes it: `id` and `object` first, the rest by name. The database has forgotten the order."""
    if isinstance(shown, list):
        return [_in_order(each) for each in shown]
    if not isinstance(shown, dict):
        return shown
    names = sorted(shown, key=lambda name: (name != "id", name != "object", name))
    return {name: _in_order(shown[name]) for name in names}


def _known(ids: set[str]) -> set[str]:
    found = StoredObject.objects.filter(stripe_id__in=ids).values_list("stripe_id", flat=True)
    return {*found, *Event.objects.filter(stripe_id__in=ids).values_list("stripe_id", flat=True)}


def _linked(id: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', address(id), id)
