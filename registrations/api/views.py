"""The doorways of the API: each unpacks a request, calls what the public pages call too, and packs the answer.

Each refusal of a service has a status and a code for programs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Never, cast

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api import Conflict, NothingSerializer, Unavailable
from config.errors import language_of
from config.rate_limit import TooOften, require_allowed
from payments.checkout.attempts import OrderNotPayable
from payments.incidents.switches import require_selling
from payments.orders.models import Order
from payments.pages.checkout_return import CheckoutReturn
from registrations.api import documentation
from registrations.api.serializers import (
    ActivitySerializer,
    CheckoutSerializer,
    NewRegistrationSerializer,
    RegistrationStateSerializer,
)
from registrations.holds import TooManyHolds
from registrations.links import Link, find_link
from registrations.models import Activity, Registration
from registrations.pages.activities import FREE_TRIES
from registrations.pages.display_state import display_state_of, is_payable
from registrations.services.register import (
    ActivityFull,
    AlreadyRegistered,
    CheckoutUnavailable,
    SalesClosed,
    confirm_free,
    prove_address,
    register_or_resume,
    start_checkout,
)
from registrations.visitors import Visitor, client_fingerprint

TOO_MANY_HOLDS = _(
    "Several places are already held without being paid, for this address or from this connection. Pay for one of "
    "them, or wait until they are released."
)
CONFLICTS: dict[type[Exception], tuple[str, Promise]] = {
    TooManyHolds: ("too_many_holds", TOO_MANY_HOLDS),
    ActivityFull: ("activity_full", _("No place is left in this activity.")),
    SalesClosed: ("sales_closed", _("Places in this activity are not on sale.")),
    AlreadyRegistered: ("already_registered", _("This person is registered for this activity already.")),
}
NOT_PAYABLE = _("There is nothing to pay for this registration, or not any more.")
PLACE_FREE = _("Payment cannot be started at the moment. Nothing was charged, and the place is free again.")
PLACE_HELD = _("Payment cannot be started at the moment. Nothing was charged, and the place is still held.")


@method_decorator(never_cache, name="dispatch")
class PublicView(APIView):
    """Open to anybody; what it tells holds at this moment only."""

    def throttled(self, request: Request, wait: float | None) -> Never:
        raise TooOften(wait)


class ActivityPages(PageNumberPagination):
    """Few sites have more than one page."""

    page_size = 100


class ActivitiesView(PublicView):
    """The activities that have not begun."""

    @extend_schema(**documentation.LIST)
    def get(self, request: Request) -> Response:
        at = timezone.now()
        pages = ActivityPages()
        page = pages.paginate_queryset(Activity.objects.coming(at=at).with_waiting(), request, view=self)
        return pages.get_paginated_response(ActivitySerializer(cast(Any, page), many=True, context={"at": at}).data)


class ActivityView(PublicView):
    """One activity, begun or not."""

    @extend_schema(**documentation.ACTIVITY)
    def get(self, request: Request, slug: str) -> Response:
        activity = get_object_or_404(Activity.objects.with_waiting(), slug=slug)
        return Response(ActivitySerializer(activity, context={"at": timezone.now()}).data)


class RegistrationsView(PublicView):
    """Where one registers for an activity."""

    @extend_schema(**documentation.REGISTER)
    def post(self, request: Request, slug: str) -> Response:
        require_selling(at=timezone.now())
        activity = get_object_or_404(Activity, slug=slug)
        serializer = NewRegistrationSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        if activity.price:
            require_allowed(request, "payment")
        else:
            require_allowed(request, "registration", times=FREE_TRIES)
        at = timezone.now()
        person = {"language": language_of(request), **serializer.validated_data}
        with refusals_as_api_errors():
            visitor = Visitor(client=client_fingerprint(request._request))
            result = register_or_resume(activity=activity, at=at, visitor=visitor, **person)
            url = None if result.is_mailed else open_payment(result.registration, at=at)
        # Who merely knows a name and an address learns nothing: the mailbox gets the link.
        code = status.HTTP_200_OK if result.is_resumed else status.HTTP_201_CREATED
        return Response(checkout_data(result.registration, url, with_token=not result.is_resumed), status=code)


class RegistrationView(PublicView):
    """What became of one registration."""

    @extend_schema(**documentation.STATE)
    def get(self, request: Request, token: str) -> Response:
        orders = Order.objects.filter(pk=get_link(token).registration.order_id)
        CheckoutReturn.read(request, orders=orders, at=timezone.now())
        with override(language_of(request)):
            return Response(RegistrationStateSerializer(get_link(token).registration).data)


class CheckoutView(PublicView):
    """Where one pays for a registration that waits for it."""

    @extend_schema(**documentation.CHECKOUT)
    def post(self, request: Request, token: str) -> Response:
        require_selling(at=timezone.now())
        link = get_link(token)
        registration = link.registration
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        at = timezone.now()
        if not is_payable(registration, display_state_of(registration, at=at)):
            raise Conflict("not_payable", NOT_PAYABLE)
        if registration.order.amount:
            require_allowed(request, "payment")
        if link.is_mailed:
            prove_address(registration=registration, at=at)
        with refusals_as_api_errors():
            url = open_payment(registration, at=at)
        return Response(checkout_data(registration, url, with_token=True))


@contextmanager
def refusals_as_api_errors() -> Iterator[None]:
    """What the services refuse in here becomes an answer of the API."""
    try:
        yield
    except tuple(CONFLICTS) as refusal:
        raise Conflict(*CONFLICTS[type(refusal)]) from refusal
    except OrderNotPayable as refusal:
        raise Conflict("not_payable", str(refusal)) from refusal
    except CheckoutUnavailable as refusal:
        raise Unavailable("checkout_unavailable", PLACE_FREE if refusal.is_place_free else PLACE_HELD) from refusal


def get_link(token: str) -> Link:
    """What the token leads to. Raises Http404, also where it has ended."""
    link = find_link(token)
    if link is None or link.has_ended:
        raise Http404
    return link


def open_payment(registration: Registration, *, at: datetime) -> str | None:
    """Where to pay; None for what is free, which is confirmed by this. Raises what start_checkout does."""
    if registration.order.amount:
        return start_checkout(registration=registration, at=at)
    confirm_free(registration=registration, at=at)
    return None


def checkout_data(registration: Registration, url: str | None, *, with_token: bool) -> dict[str, Any]:
    """The registration as it is after Stripe has answered: until when its place is held has moved."""
    registration.refresh_from_db()
    return dict(CheckoutSerializer(registration, context={"checkout_url": url, "with_token": with_token}).data)
