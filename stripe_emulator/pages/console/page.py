"""What every page of the console has: its notice, its way back, its headers, and JSON with links."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from stripe_emulator.errors import Json
from stripe_emulator.models import Event, StoredObject
from stripe_emulator.pages.console.actions import ACTIONS

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SALT, REFUSAL_LIVES = "stripe_emulator.console", 15 * 60
LONGEST_REFUSAL = 400
NOTICES = ("done", "refused")
QUOTED_ID = re.compile(r'(?<=")([a-z]{2,10}_[A-Za-z0-9_]{6,240})(?=")')


def show(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page of the console."""
    here = "/" if request.method == "POST" else _without_notices(request.get_full_path())
    common = {"here": here, "notice": _notice(request)}
    response = render(request, f"stripe_emulator/console/{template}", {**common, **context}, status=status)
    response["Content-Security-Policy"] = POLICY
    response["Cache-Control"] = "no-store"
    return response


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: nothing has this id or this address."""
    return show(request, "missing.html", {}, status=404)


def back_to(next_url: str, *, section: str, done: str = "", refused: str = "") -> str:
    """Where the page goes after an action: back, to the section it was in, with its notice in the query.

    `refused` travels signed, so that no link made by others can put words into the console's mouth.
    """
    path = (
        next_url if url_has_allowed_host_and_scheme(next_url, allowed_hosts=None) and next_url.startswith("/") else "/"
    )
    parts = urlsplit(_without_notices(path))
    notice = {"done": done} if done else {"refused": signing.dumps(refused[:LONGEST_REFUSAL], salt=SALT, compress=True)}
    query = urlencode([*parse_qsl(parts.query), *notice.items()])
    return f"{parts.path}?{query}{f'#{section}' if parts.path == '/' else ''}"


def _notice(request: HttpRequest) -> dict[str, str]:
    """What has just been done or refused: `tone` and `text`; empty when nothing was."""
    if found := ACTIONS.get(request.GET.get("done", "")):
        _kind, action = found
        return {"tone": "good", "text": str(action.done)}
    if signed := request.GET.get("refused"):
        try:
            refused = signing.loads(signed, salt=SALT, max_age=REFUSAL_LIVES)
        except signing.BadSignature:
            return {}
        return {"tone": "bad", "text": _("Refused: %(why)s") % {"why": refused}}
    return {}


def _without_notices(path: str) -> str:
    parts = urlsplit(path)
    query = urlencode([(name, value) for name, value in parse_qsl(parts.query) if name not in NOTICES])
    return f"{parts.path}?{query}" if query else parts.path


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
