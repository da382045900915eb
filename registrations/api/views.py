"""The doorways of the API: each unpacks a request, calls what the public pages call too, and packs the answer."""

from datetime import datetime
from typing import Any, Never, cast

from django.conf import settings
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api import Conflict
from config.rate_limit import PaymentThrottle, TooOften
from registrations.api import documentation
from registrations.api.catalogue import activities, coming
from registrations.api.refusals import NOT_PAYABLE, told_to_programs
from registrations.api.serializers import (
    ActivitySerializer,
    CheckoutSerializer,
    NewRegistrationSerializer,
    NothingSerializer,
    RegistrationStateSerializer,
)
from registrations.models import Activity, Registration
from registrations.pages.standing import PAYABLE, standing_of
from registrations.services import AlreadyRegistered
from registrations.services.begin import begin, confirm_free
from registrations.services.checkout import start_checkout
from registrations.tokens import find_by_token


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
        page = pages.paginate_queryset(coming(at=at), request, view=self)
        return pages.get_paginated_response(ActivitySerializer(cast(Any, page), many=True, context={"at": at}).data)


class ActivityView(PublicView):
    """One activity, begun or not."""

    @extend_schema(**documentation.ACTIVITY)
    def get(self, request: Request, slug: str) -> Response:
        activity = get_object_or_404(activities(), slug=slug)
        return Response(ActivitySerializer(activity, context={"at": timezone.now()}).data)


class RegistrationsView(PublicView):
    """Where one registers for an activity."""

    throttle_classes = (PaymentThrottle,)

    @extend_schema(**documentation.REGISTER)
    def post(self, request: Request, slug: str) -> Response:
        activity = get_object_or_404(Activity, slug=slug)
        wanted = NewRegistrationSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        at = timezone.now()
        person = {"language": (get_language() or settings.LANGUAGE_CODE)[:2], **wanted.validated_data}
        with told_to_programs():
            begun = begin(activity=activity, at=at, **person)
            if begun.is_resumed and not begun.registration.order.amount:
                raise AlreadyRegistered(begun.registration.email)
            url = way_to_pay(begun.registration, at=at)
        # Who merely knows a name and an address may pay for that person, and learns nothing else.
        code = status.HTTP_200_OK if begun.is_resumed else status.HTTP_201_CREATED
        return Response(checkout_data(begun.registration, url, is_told=not begun.is_resumed), status=code)


class RegistrationView(PublicView):
    """What became of one registration."""

    @extend_schema(**documentation.STATE)
    def get(self, request: Request, token: str) -> Response:
        return Response(RegistrationStateSerializer(get_registration(token)).data)


class CheckoutView(PublicView):
    """Where one pays for a registration that waits for it."""

    throttle_classes = (PaymentThrottle,)

    @extend_schema(**documentation.CHECKOUT)
    def post(self, request: Request, token: str) -> Response:
        registration = get_registration(token)
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        at = timezone.now()
        if standing_of(registration, at=at) not in PAYABLE:
            raise Conflict("not_payable", NOT_PAYABLE)
        with told_to_programs():
            url = way_to_pay(registration, at=at)
        return Response(checkout_data(registration, url, is_told=True))


def get_registration(token: str) -> Registration:
    """The registration that the token is of. Raises Http404."""
    registration = find_by_token(token)
    if registration is None:
        raise Http404
    return registration


def way_to_pay(registration: Registration, *, at: datetime) -> str | None:
    """Where to pay; None for what is free, which is confirmed by this. Raises what start_checkout does."""
    if registration.order.amount:
        return start_checkout(registration=registration, at=at)
    confirm_free(registration=registration, at=at)
    return None


def checkout_data(registration: Registration, url: str | None, *, is_told: bool) -> dict[str, Any]:
    """The registration as it is after Stripe has answered: until when its place is held has moved."""
    registration.refresh_from_db()
    return dict(CheckoutSerializer(registration, context={"checkout_url": url, "is_told": is_told}).data)
