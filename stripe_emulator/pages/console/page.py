"""What every page of the console has: its notice, its way back, and the headers that keep it to itself."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from stripe_emulator.pages.console.done import DONE

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SALT, REFUSAL_LIVES = "stripe_emulator.console", 15 * 60
LONGEST_REFUSAL = 400
NOTICES = ("done", "refused")


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


def back_to(told: str, *, section: str, done: str = "", refused: str = "") -> str:
    """Where the page goes after an action: back, to the section it was in, with its notice in the query.

    `refused` travels signed, so that no link made by others can put words into the console's mouth.
    """
    path = told if url_has_allowed_host_and_scheme(told, allowed_hosts=None) and told.startswith("/") else "/"
    parts = urlsplit(_without_notices(path))
    notice = {"done": done} if done else {"refused": signing.dumps(refused[:LONGEST_REFUSAL], salt=SALT, compress=True)}
    query = urlencode([*parse_qsl(parts.query), *notice.items()])
    return f"{parts.path}?{query}{f'#{section}' if parts.path == '/' else ''}"


def _notice(request: HttpRequest) -> dict[str, str]:
    """What has just been done or refused: `tone` and `text`; empty when nothing was."""
    if text := DONE.get(request.GET.get("done", "")):
        return {"tone": "good", "text": str(text)}
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
