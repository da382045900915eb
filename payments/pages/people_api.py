"""For staff: all the payments of one person as JSON, and having everything of theirs asked of Stripe at once."""

from datetime import datetime
from typing import Any, ClassVar, cast

import structlog
from django.http import Http404
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.personal import masking
from config.api import Conflict, Unavailable
from payments.pages import people_api_schema as documentation
from payments.pages.people_api_schema import (
    CustomerOfPersonSerializer,
    HoldingSerializer,
    PaymentOfPersonSerializer,
    PersonSerializer,
    SubscriptionOfPersonSerializer,
    WantedSyncSerializer,
)
from payments.resync import KeepsMoving, ResyncOptions, resync_user
from payments.stripe_api import lookups
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable, in_a_hurry
from payments.stripe_api.snapshots import MalformedObject, StripeCustomer, StripeSubscription
from payments.timeline.people import Person

log = structlog.get_logger(__name__)
TROUBLES = (GatewayUnavailable, GatewayRefused, MalformedObject)
SYNC_RIGHTS = ("payments.resync_order", "payments.resync_subscription")
NO_ANSWER = "Stripe does not answer at the moment."
MOVING = "Something of this person is changing at this very moment: try again in a minute."


class IsStaffWithRights(BasePermission):
    """Staff who have every right that the view names."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = cast("User | None", request.user)
        rights: tuple[str, ...] = getattr(view, "rights", ())
        return user is not None and user.is_staff and user.has_perms(rights)


@method_decorator([never_cache, masking], name="dispatch")
class StaffView(APIView):
    """By the session's cookie, with the token against forged requests where something is done."""

    authentication_classes = (SessionAuthentication,)
    permission_classes = (IsStaffWithRights,)
    rights: ClassVar[tuple[str, ...]] = ()


class PersonPaymentsView(StaffView):
    """All that is known of one person; with `?live=1` what Stripe says now as well."""

    rights = (
        "accounts.view_user", "payments.view_customer", "payments.view_order", "payments.view_payment",
        "payments.view_subscription",
    )  # fmt: skip

    @extend_schema(**documentation.PAYMENTS)
    def get(self, request: Request, pk: int) -> Response:
        at, user = timezone.now(), _user(pk)
        is_live = request.query_params.get("live") in ("1", "true")
        if is_live and not cast(User, request.user).has_perms(SYNC_RIGHTS):
            self.permission_denied(request)
        person = Person.of_user(user)
        return Response({
            "user": PersonSerializer(user).data,
            "stripeCustomer": _newest(CustomerOfPersonSerializer, person.customers),
            "subscription": _newest(SubscriptionOfPersonSerializer, [each.owner for each in person.subscriptions]),
            "payments": _payments(person),
            "accesses": _accesses(request, person, at=at),
            "stripeData": _live(person, at=at) if is_live else None,
        })  # fmt: skip


class PersonSyncView(StaffView):
    """Asked again, it finds nothing more to change."""

    rights = SYNC_RIGHTS

    @extend_schema(**documentation.SYNC)
    def post(self, request: Request, pk: int) -> Response:
        wanted = WantedSyncSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        user, by = _user(pk), f"{cast(User, request.user).email}: {wanted.validated_data['reason']}"
        try:
            with in_a_hurry():
                done = resync_user(user, options=ResyncOptions(at=timezone.now(), by=by))
        except KeepsMoving as moving:
            raise Conflict("not_now", MOVING) from moving
        except TROUBLES as trouble:
            log.warning("person.not_synchronized", user=user.pk, error=repr(trouble))
            raise Unavailable("stripe_unavailable", NO_ANSWER) from trouble
        changes = [
            {"subject": each.subject, "what": what, "before": before, "after": after}
            for each in done
            for what, before, after in each.changes
        ]
        missing = [name for each in done for name in each.missing]
        log.info("person.synchronized", user=user.pk, by=by, changes=len(changes))
        return Response({"success": True, "message": "User synchronized", "changes": changes, "missing": missing})


def _user(pk: int) -> User:
    user = User.objects.filter(pk=pk).first()
    if user is None:
        raise Http404
    return user


def _newest(serializer: Any, rows: Any) -> Any:
    return next((serializer(row).data for row in rows), None)


def _payments(person: Person) -> list[Any]:
    """The latest first; those that brought nothing yet last."""
    told = [(payment, statement) for statement in person.statements for payment in statement.payments]
    told.sort(key=lambda each: (each[0].paid_at is not None, each[0].paid_at or 0), reverse=True)
    return [PaymentOfPersonSerializer(payment, context={"owner": owner.name}).data for payment, owner in told]


def _accesses(request: Request, person: Person, *, at: datetime) -> list[Any]:
    """What whoever asks may see of it."""
    user = cast(User, request.user)
    return [
        HoldingSerializer(each).data
        for each in person.holdings(at=at)
        if user.has_perm(f"{each.row._meta.app_label}.view_{each.row._meta.model_name}")
    ]


def _live(person: Person, *, at: datetime) -> dict[str, Any]:
    """What Stripe says now; where it does not answer, that it does not."""
    told: dict[str, Any] = {"askedAt": at, "customers": [], "subscriptions": [], "error": None}
    try:
        with in_a_hurry():
            for customer in person.customers:
                raw = lookups.look_up_customer(customer.stripe_id).raw
                fact = StripeCustomer.read(raw).to_fact(at=at)
                told["customers"].append(
                    {"id": customer.stripe_id, "email": fact.email, "name": fact.name, "deleted": fact.is_deleted}
                )
                if not fact.is_deleted:
                    told["subscriptions"] += map(_subscription, lookups.subscriptions_of(customer.stripe_id))
    except TROUBLES as trouble:
        log.info("person.not_told", error=repr(trouble))
        told["error"] = NO_ANSWER
    return told


def _subscription(raw: Any) -> dict[str, Any]:
    fact = StripeSubscription.read(raw).to_fact(at=timezone.now())
    return {
        "id": fact.refs.subscription,
        "status": fact.status,
        "currentPeriodEnd": fact.period_end,
        "cancelAt": fact.cancel_at,
    }


urlpatterns = [
    path("admin/users/<int:pk>/payments", PersonPaymentsView.as_view(), name="api-person-payments"),
    path("admin/users/<int:pk>/sync", PersonSyncView.as_view(), name="api-person-sync"),
]
