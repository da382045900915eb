"""What an incident has switched off, as pages ask it: one row by its index, and that once in a few seconds a process.

Where one buys, `while_selling` (pages) and `require_selling` (API) answer 503 while sales are paused. Whoever is on
Stripe's page is not stopped: webhooks, one's own pages and the way back from Stripe ask nothing here.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from time import monotonic

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import SAFE_METHODS

from config.api import Unavailable
from config.errors import answer, wants_json
from config.rate_limit import typed
from payments.incidents.models import Incident

View = Callable[..., HttpResponseBase]
CODE = "sales_paused"
MESSAGE = _("Nothing can be bought at the moment. What you have bought or paid for already is not affected.")
# So long a process does not look again.
CACHED_SECONDS = 3.0


@dataclass(slots=True)
class _Known:
    """The incident as it was seen; it counts until then, by the clock of this process."""

    incident: Incident | None = None
    until: float = 0.0


_known = _Known()


def current_incident() -> Incident | None:
    """The one that is not closed, without its figures; at most a few seconds old."""
    if monotonic() >= _known.until:
        _known.incident = Incident.objects.filter(closed_at__isnull=True).defer("before", "report").first()
        _known.until = monotonic() + CACHED_SECONDS
    return _known.incident


def forget() -> None:
    """This process looks again at once: it has just changed something."""
    _known.until = 0.0


def sales_pause() -> Incident | None:
    """The incident because of which nothing is sold now."""
    incident = current_incident()
    return None if incident is None or incident.is_selling else incident


class SalesPaused(Unavailable):
    """What the API answers where one would buy; with Retry-After if the end is known."""

    def __init__(self, wait: int | None) -> None:
        super().__init__(CODE, MESSAGE)
        self.wait = wait  # type: ignore[assignment]  # DRF: None tells nothing


def require_selling(*, at: datetime) -> None:
    """For the API. Raises SalesPaused."""
    if incident := sales_pause():
        raise SalesPaused(seconds_left(incident, at=at))


def while_selling(view: View) -> View:
    """Decorates a view where one buys: what only reads is shown, the rest is a 503 while sales are paused."""

    @wraps(view)
    def selling(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        incident = None if request.method in SAFE_METHODS else sales_pause()
        return view(request, *args, **kwargs) if incident is None else _paused(request, incident, at=timezone.now())

    return selling


def seconds_left(incident: Incident, *, at: datetime) -> int | None:
    """Until its end is expected; None where nobody knows, or it should be over."""
    if incident.ends_at is None or incident.ends_at <= at:
        return None
    return math.ceil((incident.ends_at - at).total_seconds())


def _paused(request: HttpRequest, incident: Incident, *, at: datetime) -> HttpResponse:
    """As JSON, or as a page that keeps what was typed."""
    left = seconds_left(incident, at=at)
    if wants_json(request):
        response = answer(request, status=503, code=CODE, message=MESSAGE)
    else:
        context = {"ends_at": incident.ends_at if left else None, "message": MESSAGE, "typed": typed(request)}
        response = render(request, "public/sales_paused.html", context, status=503)
    # Django would log each as an error, and nothing is wrong with it.
    response._has_been_logged = True  # type: ignore[attr-defined]
    if left:
        response.headers["Retry-After"] = str(left)
    return response
