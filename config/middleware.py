"""Gives each request an id that its answer and all its log lines carry, and one line when it is done."""

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, clear_contextvars

log = structlog.get_logger(__name__)

HEADER = "X-Request-ID"
# Anything else could forge log lines, or would not fit where the id is kept.
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)


class RequestIdMiddleware:
    """Stands first: what any other middleware answers or logs carries the id too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = accepted(request.headers.get(HEADER, "")) or uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        began = time.perf_counter()
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
            response[HEADER] = request_id
            tell(request, response, seconds=time.perf_counter() - began)
        finally:
            clear_contextvars()  # threads serve one request after the other
        return response


def accepted(request_id: str) -> str:
    """The caller's own id, if it may be used; else ""."""
    return request_id if WELL_FORMED.fullmatch(request_id) else ""


def tell(request: HttpRequest, response: HttpResponse, *, seconds: float) -> None:
    """The access line. No query string: people's search words and one-time codes are in there."""
    log.info(
        "http.request",
        method=(request.method or "")[:10],
        path=safe_path(request),
        status=response.status_code,
        duration_ms=round(seconds * 1000, 1),
    )


def safe_path(request: HttpRequest) -> str:
    """The path without the one-time code that the link of a mail may carry in it."""
    found = request.resolver_match
    code = str(found.kwargs.get("token", "")) if found else ""
    return request.path.replace(code, "***")[:200] if code else request.path[:200]
