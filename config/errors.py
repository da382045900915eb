"""What people and programs see when something is refused or breaks: a sentence, a code, the id to quote."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

# Programs live here; everywhere else JSON is for those who ask for it.
API_PATHS = ("/api/", "/stripe/", "/healthz/")


def api_error(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """The JSON of what a view of the API refuses; what nobody foresaw goes on to `server_error`."""
    response = exception_handler(exc, dict(context))
    if response is None:
        return None
    detail = response.data
    error = {"code": _code(exc, response.status_code), "message": _message(detail)}
    if isinstance(exc, ValidationError):
        error["fields"] = detail
    response.data = {"error": error | {"request_id": request_id(context["request"])}}
    return response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: also a host name that is not ours, or a form that was tampered with."""
    return answer(request, status=400, code="bad_request", message=_("This request could not be understood."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: not allowed to this person."""
    return answer(request, status=403, code="forbidden", message=_("You are not allowed to see or do this."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose page is older than the sign-in, or that comes from another site."""
    message = _("This form has expired. Go back, load the page again and send it once more.")
    return answer(request, status=403, code="csrf_failed", message=message)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: no such address, or nothing behind it that this person may know of."""
    return answer(request, status=404, code="not_found", message=_("There is nothing at this address."))


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault; touches neither database nor session, which may be what is broken."""
    message = _("Something went wrong on our side. Nothing that you paid is lost.")
    return answer(request, status=500, code="server_error", message=message)


def answer(request: HttpRequest, *, status: int, code: str, message: str) -> HttpResponse:
    """One refusal, as JSON for programs or as a page for people."""
    quoted = request_id(request)
    if wants_json(request):
        return JsonResponse({"error": {"code": code, "message": message, "request_id": quoted}}, status=status)
    page = {
        "message": message,
        "request_id": quoted,
        "version": settings.VERSION,
        "environment": settings.ENVIRONMENT,
    }
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
    return _("Some fields are missing or wrong.")
