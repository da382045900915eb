"""What no page of ours takes is refused before anything reads or keeps it: files, long forms, NUL characters.

Views of the API and the webhook read their bodies themselves, within limits of their own.
"""

from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import unquote

from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from rest_framework.permissions import SAFE_METHODS

from config.errors import answer, bad_request


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


class RequestGuardMiddleware:
    """Stands before whatever reads a form; behind LocaleMiddleware, so that people can read the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        address = request.path_info + unquote(request.META.get("QUERY_STRING", ""))
        # PostgreSQL has no such text, so nothing goes by that name.
        return bad_request(request) if "\0" in address else self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        is_api = hasattr(view, "cls")  # Django REST framework says so of its views
        return None if is_api or request.method in SAFE_METHODS else refuse_body(request)


def refuse_body(request: HttpRequest) -> HttpResponse | None:
    """Why the body of a form is not read; None if it may be."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length and "HTTP_TRANSFER_ENCODING" in request.META:
        message = _("A form must say how long it is.")
        return answer(request, status=411, code="length_required", message=message)
    if length.isdecimal() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return answer(request, status=413, code="body_too_large", message=_("The body is too long."))
    try:
        # Read here: before a view, or the check of the form's own token, would.
        _read = request.POST if request.content_type == "multipart/form-data" else None
    except UnwantedFile:
        message = _("This page takes no files.")
        return answer(request, status=415, code="unsupported_media_type", message=message)
    return None
