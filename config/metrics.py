"""`/metrics` for Prometheus: apps register what they measure, and all of it is read from the database at each scrape.

So the numbers are right under any number of processes, and a restart loses none of them.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.conf import settings
from django.db import Error as DatabaseFailure
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import re_path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

log = structlog.get_logger(__name__)
Collect = Callable[[datetime], Iterable[Metric]]
_collects: list[Collect] = []


def collects(function: Collect) -> Collect:
    """Decorates what reads metrics as they stand at a moment; for an app's ready()."""
    _collects.append(function)
    return function


@dataclass(frozen=True, slots=True)
class Measured(Collector):
    """All that is registered, read at this moment."""

    at: datetime

    def collect(self) -> Iterator[Metric]:
        for function in _collects:
            yield from function(self.at)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics in the text format that the scraper accepts; 503 while the database does not answer."""
    if not settings.METRICS_TOKEN and settings.PRODUCTION:
        raise Http404
    if not has_token(request):
        return _plain("The metrics need their token.", status=401, headers={"WWW-Authenticate": "Bearer"})
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    # A registry of its own: the global one would tell of this process alone.
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Measured(timezone.now()))
    try:
        return HttpResponse(encode(registry), content_type=content_type)
    except DatabaseFailure as error:
        log.warning("metrics.database_down", error=type(error).__name__)
        return _plain("The database does not answer.", status=503)


def has_token(request: HttpRequest) -> bool:
    """Whether who asks may see figures: by METRICS_TOKEN, which production needs and elsewhere may be missing."""
    if not settings.METRICS_TOKEN:
        return not settings.PRODUCTION
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    is_token = hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    return scheme.lower() == "bearer" and is_token


def _plain(text: str, *, status: int, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8", headers=headers)


urlpatterns = [re_path(r"^metrics/?\Z", metrics, name="metrics")]
