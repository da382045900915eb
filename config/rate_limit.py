"""How often one client may try where payments and accounts begin, and who is asking: an address that a caller
cannot choose for itself.

Never put it on webhooks or health: Stripe tries as it likes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import ngettext
from rest_framework.exceptions import Throttled
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from config.counters import CountersDown, count
from config.errors import answer, wants_json

log = structlog.get_logger(__name__)
View = Callable[..., HttpResponseBase]
# Whoever has one address of IPv6 has the whole network of it.
IPV6_NETWORK_BITS = 64


@dataclass(frozen=True, slots=True)
class LimitDecision:
    """Whether the request may go on; if not, after how many seconds the client may come back.

    `most` are let through in a window, of which `left` are; it ends in `reset` seconds. `most` 0: nobody counted.
    """

    is_allowed: bool
    retry_after: int = 0
    most: int = 0
    left: int = 0
    reset: int = 0

    def tell(self, response: HttpResponseBase) -> None:
        """Write it into the headers of the answer."""
        if self.most:
            response.headers["RateLimit-Limit"] = str(self.most)
            response.headers["RateLimit-Remaining"] = str(self.left)
            response.headers["RateLimit-Reset"] = str(self.reset)


ALLOWED = LimitDecision(True)


def allow(request: HttpRequest, scope: str, *, times: int = 1) -> LimitDecision:
    """Count this request of its client: STRIPE_RATE_LIMIT_MAX are let through in each STRIPE_RATE_LIMIT_WINDOW.

    `scope` names what is counted together, `times` how often as many of it are let through. Who cannot be counted is
    let through: a sale is worth more than the limit.
    """
    client = client_of(request)
    if not client:
        log.error("rate_limit.no_address", scope=scope)
        return ALLOWED
    window = timedelta(milliseconds=settings.STRIPE_RATE_LIMIT_WINDOW)
    decision = allow_one(client, scope, most=times * settings.STRIPE_RATE_LIMIT_MAX, window=window)
    return remember(request, decision)


def allow_one(who: str, scope: str, *, most: int, window: timedelta) -> LimitDecision:
    """Count whoever is known by a name: `most` are let through in each window."""
    try:
        attempts = count(f"rate_limit:{scope}:{who}", window=window, at=timezone.now())
    except CountersDown as down:
        log.error("rate_limit.counters_down", scope=scope, error=str(down))
        return ALLOWED
    reset = max(1, math.ceil(attempts.left.total_seconds()))
    if attempts.number <= most:
        return LimitDecision(True, most=most, left=most - attempts.number, reset=reset)
    log.warning("rate_limit.refused", scope=scope, attempts=attempts.number)
    return LimitDecision(False, retry_after=reset, most=most, reset=reset)


def remember(request: HttpRequest, decision: LimitDecision) -> LimitDecision:
    """Keep the decision with the request: AnswerMiddleware tells it in the answer."""
    request.rate_limit = decision  # type: ignore[attr-defined]
    return decision


def limited(scope: str) -> Callable[[View], View]:
    """Decorates a view: what only reads is never counted; too much of the rest is answered with 429."""

    def decorate(view: View) -> View:
        @wraps(view)
        def limited_view(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            decision = ALLOWED if request.method in SAFE_METHODS else allow(request, scope)
            return view(request, *args, **kwargs) if decision.is_allowed else too_often(request, decision)

        return limited_view

    return decorate


def too_often(request: HttpRequest, decision: LimitDecision) -> HttpResponse:
    """429, as JSON or as a page that keeps what was typed, with the time after which to come back."""
    message = lazy(sentence, str)(decision.retry_after)
    if wants_json(request):
        response = answer(request, status=429, code=Throttled.default_code, message=message)
    else:
        response = render(request, "too_often.html", {"message": message, "typed": typed(request)}, status=429)
    response["Retry-After"] = str(decision.retry_after)
    return response


def typed(request: HttpRequest) -> list[tuple[str, str]]:
    """What the form held, to be sent again: all but its own secret and passwords."""
    kept = [name for name in request.POST if name != "csrfmiddlewaretoken" and "password" not in name]
    return [(name, value) for name in kept for value in request.POST.getlist(name)]


def sentence(seconds: int) -> str:
    """What people read who have tried too often."""
    minutes = math.ceil(seconds / 60)
    words = ngettext(
        "You have tried too often. Try again in %d minute.",
        "You have tried too often. Try again in %d minutes.",
        minutes,
    )
    return words % minutes


def require_allowed(request: Request, scope: str, *, times: int = 1) -> None:
    """For the API: like `allow`. Raises TooOften."""
    decision = allow(request._request, scope, times=times)
    if not decision.is_allowed:
        raise TooOften(decision.retry_after)


class PaymentThrottle(BaseThrottle):
    """For views of the API, counted together with the pages."""

    scope = "payment"
    decision = ALLOWED

    def allow_request(self, request: Request, view: APIView) -> bool:
        if request.method not in SAFE_METHODS:
            self.decision = allow(request._request, self.scope)
        return self.decision.is_allowed

    def wait(self) -> float:
        return self.decision.retry_after


class TooOften(Throttled):
    """What the API answers to it: `throttled`, with Retry-After."""

    def __init__(self, wait: float | None) -> None:
        super().__init__(detail=sentence(math.ceil(wait or 1)))
        self.wait = wait


def client_of(request: HttpRequest) -> str:
    """An IPv4 address, or the /64 network of an IPv6 one; "" where the web server tells no address.

    Behind `TRUSTED_PROXY_COUNT` proxies it is the address that the outermost of them has seen. Each appends one to
    X-Forwarded-For, so what stands further left was written by the caller and is not looked at.
    """
    named = [hop for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    hop = named[-settings.TRUSTED_PROXY_COUNT :][:1] if settings.TRUSTED_PROXY_COUNT else []
    address = _read_address(*hop) if hop else None
    address = address or _read_address(request.META.get("REMOTE_ADDR", ""))
    return _grouped(address) if address else ""


def _read_address(text: str) -> IPv4Address | IPv6Address | None:
    """Some proxies write the port too: `203.0.113.7:4711`, `[2001:db8::1]:4711`."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        return ip_address(host)
    except ValueError:
        return None


def _grouped(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address.packed, IPV6_NETWORK_BITS), strict=False))
