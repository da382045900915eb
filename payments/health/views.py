"""`/health` as document 03 has it, and `/readyz` for load balancers: anybody may ask, the details are for staff or the
token of /metrics.
"""

from typing import Any

import structlog
from django.db import Error as DatabaseFailure
from django.http import HttpRequest, JsonResponse
from django.urls import re_path
from django.utils import timezone
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.errors import ENGLISH
from config.metrics import has_token
from payments.figures.recent import HealthState
from payments.health.health import read_health
from payments.health.readiness import CheckState, check_all

log = structlog.get_logger(__name__)
SERVICE_UNAVAILABLE, SERVER_ERROR = 503, 500


@require_safe
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """healthy and degraded 200, critical 503, error 500; the window is 24 hours."""
    try:
        found = read_health(at=timezone.now())
    except DatabaseFailure as error:
        log.warning("health.error", error=type(error).__name__)
        return JsonResponse({"status": "error", "error": "The database does not answer."}, status=SERVER_ERROR)
    told = found.as_dict() if sees_details(request) else {"status": found.state}
    return JsonResponse(told, status=SERVICE_UNAVAILABLE if found.state == HealthState.CRITICAL else 200)


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """ok and degraded 200, not ready 503."""
    with override(ENGLISH):  # as everything that programs read
        checks = check_all(at=timezone.now())
    fault = next((each for each in checks if each.state == CheckState.FAULT), None)
    warnings = [each.name for each in checks if each.state == CheckState.WARNING]
    told: dict[str, Any] = {"status": "degraded" if warnings else "ok"}
    if fault:
        log.warning("health.not_ready", reason=fault.name)
        told = {"status": "not ready", "reason": fault.name}
    if sees_details(request):
        told["checks"] = [each.as_dict() for each in checks]
    return JsonResponse(told, status=SERVICE_UNAVAILABLE if fault else 200)


def sees_details(request: HttpRequest) -> bool:
    """Whether who asks may know how much is sold, and what is wrong."""
    try:
        return has_token(request) or bool(request.user.is_active and request.user.is_staff)
    except DatabaseFailure:
        return False


urlpatterns = [re_path(r"^health/?\Z", health, name="health"), re_path(r"^readyz/?\Z", ready, name="readyz")]
