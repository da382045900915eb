"""What the pages on which people buy and open modules have in common."""

from typing import Any

import structlog
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from modules_access.services.buy import PaymentUnderWay
from payments.pages.base_views import user_of
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable

log = structlog.get_logger(__name__)


@method_decorator(never_cache, name="dispatch")
class OwnPage(LoginRequiredMixin, View):
    """For who is signed in; a POST does one thing, or a page says why not."""

    def post(self, request: HttpRequest, **names: Any) -> HttpResponse:
        try:
            return self.act(request, **names)
        except PaymentUnderWay:
            return _trouble(request, "not_now", status=409)
        except GatewayRefused as refusal:
            log.warning("module.refused", user=user_of(request).pk, code=refusal.code, request=refusal.request_id)
        except GatewayUnavailable as trouble:
            log.warning("module.unavailable", user=user_of(request).pk, error=str(trouble))
        return _trouble(request, "unavailable", status=503)

    def act(self, request: HttpRequest, **names: Any) -> HttpResponse:
        """What the button does."""
        raise NotImplementedError


def _trouble(request: HttpRequest, trouble: str, *, status: int) -> HttpResponse:
    return render(request, "modules_access/trouble.html", {"trouble": trouble}, status=status)
