"""What the pages on which somebody signed in buys or changes something have in common."""

from typing import Any, cast

import structlog
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from accounts.models import User
from payments.purchasing import PaymentUnderWay
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable

log = structlog.get_logger(__name__)
SEE_OTHER = 303


def user_of(request: HttpRequest) -> User:
    """Who is signed in."""
    return cast(User, request.user)


def see_other(url: str) -> HttpResponse:
    """Look there with a GET."""
    return HttpResponseRedirect(url, status=SEE_OTHER)


@method_decorator(never_cache, name="dispatch")
class OwnPage(LoginRequiredMixin, View):
    """For who is signed in; a POST does one thing, or a page says why not.

    `trouble_template` is shown with `trouble`: `not_now`, `unavailable`, or what a subclass adds.
    """

    trouble_template: str

    def post(self, request: HttpRequest, **names: Any) -> HttpResponse:
        try:
            return self.act(request, **names)
        except PaymentUnderWay:
            return self.trouble_page("not_now", status=409)
        except GatewayRefused as refusal:
            page, user = type(self).__name__, user_of(request).pk
            log.warning("page.refused", page=page, user=user, code=refusal.code, stripe_request=refusal.request_id)
            return self.refused_page(refusal)
        except GatewayUnavailable as trouble:
            log.warning("page.unavailable", page=type(self).__name__, user=user_of(request).pk, error=str(trouble))
            return self.trouble_page("unavailable", status=503)

    def act(self, request: HttpRequest, **names: Any) -> HttpResponse:
        """What the button does."""
        raise NotImplementedError

    def refused_page(self, refusal: GatewayRefused) -> HttpResponse:
        """To the visitor, what Stripe refuses is as if it did not answer."""
        return self.trouble_page("unavailable", status=503)

    def trouble_page(self, trouble: str, *, status: int) -> HttpResponse:
        """A plain sentence, and the ways on."""
        return render(self.request, self.trouble_template, {"trouble": trouble}, status=status)
