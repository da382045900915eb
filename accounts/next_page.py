"""Where somebody goes on who had to sign in first: through signing up, the mail, and the password, on any device."""

from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

MAX_LENGTH = 300


def next_of(request: HttpRequest) -> str:
    """The path on this site that the address or the form names; "" for anything else."""
    return own_path(request.POST.get("next") or request.GET.get("next", ""))


def own_path(text: str) -> str:
    """The text where it is a path of ours, with its query; "" where it could lead elsewhere."""
    is_path = text.startswith("/") and len(text) <= MAX_LENGTH and text.isprintable()
    return text if is_path and url_has_allowed_host_and_scheme(text, allowed_hosts=None) else ""


def with_next(path: str, next_path: str) -> str:
    """The path that goes on there afterwards."""
    return f"{path}?{urlencode({'next': next_path})}" if next_path else path
