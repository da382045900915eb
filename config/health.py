"""Is this process alive, and may it be sent requests? For load balancers and containers."""

from datetime import datetime, timedelta
from functools import cache

import structlog
from django.db import Error as DatabaseFailure
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import re_path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.counters import CountersDown, count

log = structlog.get_logger(__name__)


class NotMigrated(Exception):
    """The database is older than this code."""


REASONS: dict[type[Exception], str] = {
    DatabaseFailure: "database", NotMigrated: "migrations", CountersDown: "counters",
}  # fmt: skip
COUNTED_FOR = timedelta(minutes=1)


@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponseBase:
    """The process answers. Nothing else is asked: a restart would not repair a database."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponseBase:
    """The database answers and fits this code, and the limits on what strangers may try are counted."""
    try:
        require_ready(at=timezone.now())
    except tuple(REASONS) as error:
        log.warning("health.not_ready", error=type(error).__name__)
        reason = next(word for kind, word in REASONS.items() if isinstance(error, kind))
        return JsonResponse({"status": "not ready", "reason": reason}, status=503)
    return JsonResponse({"status": "ok"})


def require_ready(*, at: datetime) -> None:
    """Raise one of REASONS where something is missing without which no request can be answered."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    must_be_migrated()
    count("health.ready", window=COUNTED_FOR, at=at)


@cache
def must_be_migrated() -> None:
    """Raise NotMigrated while a migration of this code is missing; a yes is remembered, it stays one."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotMigrated


urlpatterns = [
    re_path(r"^healthz/live/?\Z", live, name="live"),
    re_path(r"^healthz/ready/?\Z", ready, name="ready"),
    re_path(r"^livez/?\Z", live, name="livez"),
]
