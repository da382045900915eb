"""What people and programs see when something is refused or breaks: a sentence, a code, the id to quote."""

from collections.abc import Mapping
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.functional import Promise, lazy
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

log = structlog.get_logger(__name__)
ENGLISH = "en"
LONGEST_HOST = 100
# Programs live here; everywhere else JSON is for those who ask for it.
API_PATHS = ("/api/", "/stripe/", "/healthz/")
# A request that names a host or an address which is not ours, with `request` and the `code` of the refusal.
misaddressed = Signal()


def language_of(request: Any) -> str:
    """The language of who sends the request, for what is told to people: "fr"."""
    return str(getattr(request, "LANGUAGE_CODE", settings.LANGUAGE_CODE))[:2]


def api_error(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """The JSON of what a view of the API refuses; what nobody foresaw goes on to `server_error`."""
    response = exception_handler(exc, dict(context))
    if response is None:
        return None
    fields = response.data if isinstance(exc, ValidationError) else None
    code, message = _code(exc, response.status_code), _message(response.data)
    response.data = error_body(context["request"], code=code, message=message, fields=fields)
    return response


def error_body(request: Any, *, code: str, message: str, fields: Any = None) -> dict[str, Any]:
    """The form of every refusal in JSON. The id under both names: `requestId` is that of the runbooks."""
    told = {} if fields is None else {"fields": fields}
    quoted = request_id(request)
    ids = {"request_id": quoted, "requestId": quoted, "version": settings.VERSION}
    return {"error": {"code": code, "message": message, **told, **ids}, "requestId": quoted}


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: a form that was tampered with, or a host name that is not ours."""
    if isinstance(exception, DisallowedHost):
        return wrong_host(request)
    return answer(request, status=400, code="bad_request", message=_("This request could not be understood."))


def wrong_host(request: HttpRequest) -> HttpResponse:
    """400 for who asks for somebody else: a proxy that names itself, Stripe with an old address."""
    host = str(request.META.get("HTTP_HOST", ""))[:LONGEST_HOST]
    log.warning("http.wrong_host", host=host, path=request.path[:200])
    misaddressed.send(sender=None, request=request, code="wrong_host")
    message = lazy(lambda: gettext("This site is not called “%s” (ALLOWED_HOSTS).") % host, str)()
    return answer(request, status=400, code="wrong_host", message=message)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: not allowed to this person."""
    return answer(request, status=403, code="forbidden", message=_("You are not allowed to see or do this."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose page is older than the sign-in, or that comes from another site."""
    misaddressed.send(sender=None, request=request, code="csrf_failed")
    message = _("This form has expired. Go back, load the page again and send it once more.")
    # Nothing of it is offered to be sent again: another site may have written it.
    return answer(request, status=403, code="csrf_failed", message=message, leads_back=True)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: no such address, or nothing behind it that this person may know of."""
    misaddressed.send(sender=None, request=request, code="not_found")
    return answer(request, status=404, code="not_found", message=_("There is nothing at this address."))


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault; touches neither database nor session, which may be what is broken."""
    message = _("Something went wrong on our side. Nothing that you paid is lost.")
    return answer(request, status=500, code="server_error", message=message)


def answer(
    request: HttpRequest, *, status: int, code: str, message: str | Promise, leads_back: bool = False
) -> HttpResponse:
    """One refusal, as JSON for programs or as a page for people; `leads_back`: to the page of the form as well."""
    if wants_json(request):
        with override(ENGLISH):
            body = error_body(request, code=code, message=str(message))
        return JsonResponse(body, status=status, headers={"Content-Language": ENGLISH})
    page = {
        "message": message,
        "request_id": request_id(request),
        "version": settings.VERSION,
        "environment": settings.ENVIRONMENT,
        "back": request.path if leads_back else "",
    }
    # Without the request: whoever asks for what is not there costs no look at the database or the session.
    return HttpResponse(render_to_string("errors.html", page), status=status)


def wants_json(request: HttpRequest) -> bool:
    """Under the API always; elsewhere for whoever asks for JSON and would not take a page."""
    accept = request.META.get("HTTP_ACCEPT", "")
    return request.path.startswith(API_PATHS) or ("application/json" in accept and "text/html" not in accept)


def request_id(request: Any) -> str:
    """The id that RequestIdMiddleware gave the request; "" for one that never came by there."""
    return str(getattr(request, "request_id", ""))


def _code(exc: Exception, status: int) -> str:
    """DRF's own word for it, "forbidden" and "not_found" as on the pages; one word for a form with many errors."""
    codes = exc.get_codes() if hasattr(exc, "get_codes") else ""
    if not codes or codes == "permission_denied":
        return "forbidden" if status == 403 else "not_found"
    return codes if isinstance(codes, str) else "invalid"


def _message(detail: Any) -> str:
    if isinstance(detail, Mapping) and "detail" in detail:
        return str(detail["detail"])
    return gettext("Some fields are missing or wrong.")
