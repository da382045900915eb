"""Leads a person into a module with a short token in the address, and stands in for the module outside production."""

import re
from urllib.parse import SplitResult, urlsplit

import structlog
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from modules_access.jwt import TokenRefused, mint_pass
from modules_access.links import encours_path
from modules_access.models import Module, ModuleAccess
from modules_access.services.verify import verify
from payments.pages.base_views import OwnPage, see_other, user_of

log = structlog.get_logger(__name__)
# What may stand in a Content-Security-Policy: no character in it could begin another rule.
HOST_PATTERN = re.compile(r"[a-z0-9_.-]+(:[0-9]{1,5})?|\[[0-9a-f:.]+\](:[0-9]{1,5})?", re.ASCII)
TOKEN_PARAMETER = "token"


class NotReachable(Exception):
    """Nobody is led there; the text is the address."""


class OpenPage(OwnPage):
    """The button "Open". A POST only: nobody else's page can have a token made."""

    trouble_template = "modules_access/trouble.html"

    def get(self, request: HttpRequest, access_id: int) -> HttpResponse:
        return redirect("encours")

    def act(self, request: HttpRequest, **names: int) -> HttpResponse:
        now = timezone.now()
        access = get_object_or_404(ModuleAccess.objects.of(user_of(request)), pk=names["access_id"])
        if not access.is_open(at=now):
            return see_other(encours_path(ended=access.module.slug))
        try:
            response = see_other(with_token(access.module.url, mint_pass(access, at=now)))
        except NotReachable:
            log.error("module.not_reachable", module=access.module.slug)
            return see_other(encours_path(unreachable=access.module.slug))
        log.info("module.entered", module=access.module.slug, access=access.pk)
        # The token is in the address: it goes to the module, and to nobody whom the module links to.
        response["Referrer-Policy"] = "no-referrer"
        return response


@require_safe
@never_cache
def demo_room(request: HttpRequest, slug: str) -> HttpResponse:
    """Who has come in, or why nobody has. Looking again is another use of a token; a pass is soon used up."""
    if settings.PRODUCTION:
        raise Http404
    module = get_object_or_404(Module, slug=slug)
    context: dict[str, object] = {"module": module}
    try:
        context["verified"] = verify(request.GET.get("token", ""), module=module, at=timezone.now())
    except TokenRefused as refusal:
        context["refusal"] = refusal
    response = render(request, "modules_access/demo_room.html", context, status=403 if "refusal" in context else 200)
    response["Referrer-Policy"] = "no-referrer"
    return response


def with_token(url: str, token: str) -> str:
    """The address with the token in its query, where all else stays as it was. Raises NotReachable."""
    parts = _parts(url)
    kept = [each for each in parts.query.split("&") if each and each.partition("=")[0] != TOKEN_PARAMETER]
    return parts._replace(query="&".join([*kept, f"{TOKEN_PARAMETER}={token}"])).geturl()


def origin_of(url: str) -> str:
    """Scheme, host and port: "https://learn.example". Raises NotReachable."""
    parts = _parts(url)
    return f"{parts.scheme}://{parts.netloc}"


def find_origin(url: str) -> str | None:
    """Its origin; None where nobody is led."""
    try:
        return origin_of(url)
    except NotReachable:
        return None


def _parts(url: str) -> SplitResult:
    """http(s), in production https alone, as a token is not sent through the open; a name with accents as browsers
    send it."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.encode("idna").decode().lower()
    except ValueError as error:
        raise NotReachable(url) from error
    schemes = ("https",) if settings.PRODUCTION else ("http", "https")
    if parts.scheme not in schemes or not HOST_PATTERN.fullmatch(host):
        raise NotReachable(url)
    return parts._replace(netloc=host)
