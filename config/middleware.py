"""What every request passes first: it gets an id, which its answer and its log lines carry, one line when it is done,
the language of what programs are refused with, and the policy of what a page may load and where its forms may lead
(nothing from elsewhere, no inline script or style).
"""

import re
import time
import uuid
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

import structlog
from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import SAFE_METHODS
from structlog.contextvars import bind_contextvars, clear_contextvars

from config.errors import API_PATHS, ENGLISH, answer, bad_request
from config.reader import locale_named, written_as
from config.seen import Seen, seen

log = structlog.get_logger(__name__)

REQUEST_ID = "X-Request-ID"
CONTENT_SECURITY_POLICY = "Content-Security-Policy"
STRIPE_PAGES = "https://checkout.stripe.com https://billing.stripe.com"
# Anything else could forge log lines, or would not fit where the id is kept.
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
# Answers are told apart by whom they serve; what begins with none of these goes to buyers.
AREAS = {"/admin/": "admin", "/api/webhooks/": "webhook", "/api/": "api", "/stripe/": "webhook"}
# What programs ask for without anybody's doing, and what every page brings along.
ROUTINE_PATHS = ("/static/", "/livez", "/readyz", "/health", "/metrics", "/favicon.ico")


class RequestIdMiddleware:
    """Stands first: what any other middleware answers or logs carries the id too.

    An answer that `has_own_line` gets no access line: what was logged for it says status and duration.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = accepted(request.headers.get(REQUEST_ID, "")) or uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        request.began = began = time.perf_counter()  # type: ignore[attr-defined]
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
            response[REQUEST_ID] = request_id
            seconds, routine = time.perf_counter() - began, is_routine(request, response)
            if not routine:
                seen.append((Seen.ANSWER, f"{area_of(request.path)} {response.status_code // 100}xx", seconds))
            if not getattr(response, "has_own_line", False) and (settings.VERBOSE or not routine):
                log_request(request, response, seconds=seconds)
        finally:
            clear_contextvars()  # threads serve one request after the other
        return response


# The addresses that the five systems gave to Stripe, with and without a slash: a redirect would lose events.
WEBHOOK_ADDRESS = "/(stripe/webhooks?|api/webhooks/stripe)/?"
WEBHOOK_PATH = re.compile(rf"{WEBHOOK_ADDRESS}\Z")


class WebhookMiddleware:
    """Stands before sessions, languages and messages: a delivery needs none, and none of them can turn it away.

    What it is refused with is in English, as everything that programs read.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.view = import_string(settings.WEBHOOK_VIEW).as_view()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not WEBHOOK_PATH.match(request.path_info):
            return self.get_response(request)
        # Raises DisallowedHost: of a proxy that names itself staff must hear.
        request.get_host()
        with override(ENGLISH):
            response: HttpResponse = self.view(request).render()
        response.headers["Content-Length"] = str(len(response.content))  # of others CommonMiddleware says so
        return response


def accepted(request_id: str) -> str:
    """The caller's own id, if it may be used; else ""."""
    return request_id if WELL_FORMED.fullmatch(request_id) else ""


def area_of(path: str) -> str:
    """Whom an answer at this address serves."""
    return next((area for beginning, area in AREAS.items() if path.startswith(beginning)), "public")


def is_routine(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether the answer tells nothing: a static file or a probe, and all is well."""
    return response.status_code < 400 and request.path.startswith(ROUTINE_PATHS)


def log_request(request: HttpRequest, response: HttpResponse, *, seconds: float) -> None:
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


class ReaderMiddleware:
    """Stands behind LocaleMiddleware, which has chosen the language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(("/admin/", "/api/")):
            return self.get_response(request)
        header = request.headers.get("Accept-Language", "")
        # Without a dash no country is named.
        named = locale_named(header, language=get_language() or "en") if "-" in header else ""
        before = written_as.set(named)
        try:
            return self.get_response(request)
        finally:
            written_as.reset(before)


class AnswerMiddleware:
    """Stands behind LocaleMiddleware. Every answer on a limited route says how many tries are left, allowed or not; and
    what programs are refused with is English, whatever they or their users speak: it is searched for and quoted.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._answer(request)
        if decision := getattr(request, "rate_limit", None):
            decision.tell(response)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(API_PATHS):
            return self.get_response(request)
        with override(ENGLISH):
            response = self.get_response(request)
        if response.status_code >= 400:
            response.headers.setdefault("Content-Language", ENGLISH)
        return response


class ContentSecurityPolicyMiddleware:
    """Sets the policy on every answer, that of an error too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.policy = content_security_policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault(CONTENT_SECURITY_POLICY, self.policy)
        return response


def let_forms_lead_to(response: HttpResponse, origins: Iterable[str]) -> None:
    """Let the forms of this one page lead to these origins too: "https://learn.example", nothing behind the host."""
    response.headers[CONTENT_SECURITY_POLICY] = content_security_policy(forms_lead_to=origins)


def content_security_policy(*, forms_lead_to: Iterable[str] = ()) -> str:
    """One for all pages, but for `forms_lead_to`.

    Browsers apply `form-action` also to where the answer to a form redirects, and to where that redirects.
    """
    origins = ["'self'", stripe_origins(), *sorted(set(forms_lead_to))]
    rules = {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self'",
        "script-src": "'self'",
        "connect-src": "'self'",
        "form-action": " ".join(origins),
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def stripe_origins() -> str:
    """Where Checkout and the Customer Portal are: at Stripe, or where what stands in for it is called and seen."""
    if not settings.STRIPE_API_BASE:
        return STRIPE_PAGES
    return " ".join(sorted({_origin(settings.STRIPE_API_BASE), _origin(settings.STRIPE_EMULATOR_URL)}))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class UnwantedFile(BadRequest):
    """A form brought a file; 400 where nobody says more."""


class NoFiles(FileUploadHandler):
    """Refuses every file at its first byte. A page that needs one brings a handler that names a kind and a size."""

    def new_file(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise UnwantedFile("This page takes no files.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> NoReturn:
        raise UnwantedFile

    def file_complete(self, file_size: int) -> None:
        return None


class KeptInMemory(FileUploadHandler):
    """Takes files of a page that wants them (`takes_files`), up to so many bytes in all."""

    def __init__(self, request: HttpRequest, *, most: int) -> None:
        super().__init__(request)
        self.left = most

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.file = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.left -= len(raw_data)
        if self.left < 0:
            raise UnwantedFile("The file is too large.")
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        self.file.seek(0)
        return InMemoryUploadedFile(
            self.file, self.field_name, self.file_name or "", self.content_type, file_size, self.charset,
            self.content_type_extra,
        )  # fmt: skip


class RequestGuardMiddleware:
    """Refuses long bodies, files and NUL characters before anything reads or keeps them.

    Stands behind LocaleMiddleware, so that people can read the answer. The webhook reads its body itself, within a
    limit of its own.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        address = request.path_info + unquote(request.META.get("QUERY_STRING", ""))
        # PostgreSQL has no such text, so nothing goes by that name.
        return bad_request(request) if "\0" in address else self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        api_view = getattr(view, "cls", None)  # Django REST framework says so of its views
        if request.method in SAFE_METHODS or (api_view and not api_view.parser_classes):
            return None
        # A screen of the admin says how many bytes of files its form may bring; strangers bring none.
        most = getattr(getattr(view, "model_admin", None), "takes_files", 0)
        if most and getattr(request, "user", None) is not None and request.user.is_staff:
            request.upload_handlers = [KeptInMemory(request, most=most)]
            return refuse_length(request, files=most) or refuse_files(request)
        # What is no JSON, the API refuses by its type.
        return refuse_length(request) or (None if api_view else refuse_files(request))


def refuse_length(request: HttpRequest, *, files: int = 0) -> HttpResponse | None:
    """Why a body is too long to be read, or tells no length: Django would take it for an empty one.

    `files`: so many bytes of it may be files.
    """
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length and "HTTP_TRANSFER_ENCODING" in request.META:
        message = _("The request must say how long it is.")
        return answer(request, status=411, code="length_required", message=message)
    if length.isdecimal() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE + files:
        return answer(request, status=413, code="body_too_large", message=_("The body is too long."))
    return None


def refuse_files(request: HttpRequest) -> HttpResponse | None:
    """Read the form here, before a view, or the check of the form's own token, would."""
    try:
        _read = request.POST if request.content_type == "multipart/form-data" else None
    except UnwantedFile:
        message = _("This page takes no files.")
        return answer(request, status=415, code="unsupported_media_type", message=message)
    return None
