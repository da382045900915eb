"""What the pages of a person's own subscription have in common."""

from collections.abc import Callable
from typing import cast

import structlog
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from accounts.models import User
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.subscribing import NoSubscription, NotChangeable

log = structlog.get_logger(__name__)
SEE_OTHER = 303


def user_of(request: HttpRequest) -> User:
    """Who is signed in."""
    return cast(User, request.user)


def see_other(url: str) -> HttpResponse:
    """Look there with a GET."""
    return HttpResponseRedirect(url, status=SEE_OTHER)


def to_account(done: str) -> HttpResponse:
    """Back to the account, which says what was done."""
    return see_other(f"{reverse('account')}?subscription={done}")


def trouble_page(request: HttpRequest, trouble: str, *, status: int) -> HttpResponse:
    """A plain sentence, and the ways on: `declined`, `unavailable` or `not_now`."""
    return render(request, "payments/trouble.html", {"trouble": trouble}, status=status)


def guarded_page(request: HttpRequest, act: Callable[[], HttpResponse]) -> HttpResponse:
    """Do it; where Stripe or the bank says no, or nobody answers, a page says what that means."""
    try:
        return act()
    except NoSubscription:
        return redirect("account")
    except NotChangeable:
        return see_other(reverse("change-plan"))
    except GatewayRefused as refusal:
        log.warning("subscription.refused", user=user_of(request).pk, code=refusal.code, request=refusal.request_id)
        declined = refusal.is_declined
        return trouble_page(request, "declined" if declined else "unavailable", status=402 if declined else 503)
    except GatewayUnavailable as trouble:
        log.warning("subscription.unavailable", user=user_of(request).pk, error=str(trouble))
        return trouble_page(request, "unavailable", status=503)


@method_decorator(never_cache, name="dispatch")
class OwnPage(LoginRequiredMixin, View):
    """For who is signed in; a POST does one thing."""

    def post(self, request: HttpRequest, **names: str) -> HttpResponse:
        return guarded_page(request, lambda: self.act(request, **names))

    def act(self, request: HttpRequest, **names: str) -> HttpResponse:
        """What the button does."""
        raise NotImplementedError
