"""The doorways of the API: each unpacks a request, calls what the pages call too, and packs the answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Never, cast

import structlog
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.models import User
from config.api import Conflict, NothingSerializer, Unavailable
from config.errors import language_of
from config.rate_limit import PaymentThrottle, TooOften
from payments.billing.models import Plan
from payments.incidents.switches import require_selling
from payments.pages import api_schema as documentation
from payments.pages.api_schema import (
    PlanSerializer,
    WantedChangeSerializer,
    WantedPlanSerializer,
    shown,
)
from payments.pages.dashboard_api import DashboardView
from payments.purchasing import PaymentUnderWay
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.subscribing import (
    AlreadySubscribed,
    NoCustomer,
    NoSubscription,
    NotChangeable,
    cancel_at_period_end,
    change_plan,
    live_of,
    open_portal,
    resume,
    subscribe,
)


class SubscriptionThrottle(PaymentThrottle):
    """Who cancels or looks for an invoice never waits because of having paid; counted together with the pages."""

    scope = "subscription"


@method_decorator(never_cache, name="dispatch")
class PlansView(APIView):
    """Open to anybody."""

    @extend_schema(**documentation.PLANS)
    def get(self, request: Request) -> Response:
        plans = Plan.objects.filter(is_on_sale=True)
        return Response([PlanSerializer(plan).data for plan in plans])


@method_decorator(never_cache, name="dispatch")
class OwnView(APIView):
    """For who is signed in on the site: by the session's cookie, with the token against forged requests."""

    authentication_classes = (SessionAuthentication,)
    permission_classes = (IsAuthenticated,)

    def throttled(self, request: Request, wait: float | None) -> Never:
        raise TooOften(wait)


class SubscriptionView(OwnView):
    """The person's subscription."""

    def get_throttles(self) -> list[BaseThrottle]:
        is_change = isinstance(self.request.data, dict) and "cancel_at_period_end" in self.request.data
        return [SubscriptionThrottle() if is_change else PaymentThrottle()]

    @extend_schema(**documentation.STATE)
    def get(self, request: Request) -> Response:
        return Response(shown(live_of(_user(request)).first()))

    @extend_schema(**documentation.SUBSCRIBE)
    def post(self, request: Request) -> Response:
        require_selling(at=timezone.now())
        wanted = WantedPlanSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        with refusals_as_api_errors():
            url = subscribe(user=_user(request), plan=wanted.validated_data["plan"], at=timezone.now())
        return Response({"checkout_url": url}, status=status.HTTP_201_CREATED)

    @extend_schema(**documentation.CHANGE)
    def patch(self, request: Request) -> Response:
        wanted = WantedChangeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        user, at, told = _user(request), timezone.now(), wanted.validated_data
        with refusals_as_api_errors():
            if "plan" in told:
                require_selling(at=at)
                row = change_plan(user=user, plan=told["plan"], at=at)
            elif told["cancel_at_period_end"]:
                row = cancel_at_period_end(user=user, at=at)
            else:
                row = resume(user=user, at=at)
        return Response(shown(row))


class PortalView(OwnView):
    """Stripe's own pages about cards and invoices."""

    throttle_classes = (SubscriptionThrottle,)

    @extend_schema(**documentation.PORTAL)
    def post(self, request: Request) -> Response:
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        with refusals_as_api_errors():
            url = open_portal(
                user=_user(request), return_path=reverse("account"), language=language_of(request), at=timezone.now()
            )
        return Response({"portal_url": url}, status=status.HTTP_201_CREATED)


def _user(request: Request) -> User:
    return cast(User, request.user)


log = structlog.get_logger(__name__)
CONFLICTS: dict[type[Exception], tuple[str, Promise]] = {
    AlreadySubscribed: ("already_subscribed", _("You have subscribed already: change the plan instead.")),
    NoCustomer: ("no_subscription", _("There is no subscription.")),
    NoSubscription: ("no_subscription", _("There is no subscription.")),
    NotChangeable: ("not_changeable", _("The subscription cannot go to this plan as it stands.")),
    PaymentUnderWay: ("not_now", _("A payment of yours is under way. Please look again in a minute.")),
}
DECLINED = _("Your bank has declined the payment. Nothing has changed.")
UNAVAILABLE = _("This is not possible at the moment. Please try again in a few minutes.")


class Declined(Conflict):
    """The bank says no: 402."""

    status_code = status.HTTP_402_PAYMENT_REQUIRED


@contextmanager
def refusals_as_api_errors() -> Iterator[None]:
    """What the services refuse in here becomes an answer of the API."""
    try:
        yield
    except tuple(CONFLICTS) as refusal:
        raise Conflict(*CONFLICTS[type(refusal)]) from refusal
    except (GatewayRefused, GatewayUnavailable) as trouble:
        if isinstance(trouble, GatewayRefused) and trouble.is_declined:
            raise Declined("declined", DECLINED) from trouble
        log.warning("subscription.unavailable", error=str(trouble))
        raise Unavailable("stripe_unavailable", UNAVAILABLE) from trouble


urlpatterns = [
    path("plans/", PlansView.as_view(), name="api-plans"),
    path("me/subscription/", SubscriptionView.as_view(), name="api-subscription"),
    path("me/subscription/portal/", PortalView.as_view(), name="api-portal"),
    path("admin/payments-dashboard", DashboardView.as_view(), name="api-dashboard"),
    path("admin/payments-dashboard/", DashboardView.as_view(schema=None)),
]
