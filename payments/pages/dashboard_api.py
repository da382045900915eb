"""The dashboard's figures for programs of staff: the same as on the screen, under the names of the former dashboard."""

from typing import Any

from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.personal import masking
from config.api import refusal
from payments.figures.export import as_json
from payments.figures.period import DEFAULT_TIMEFRAME, TIMEFRAMES, read_figures

MINOR = "In the smallest unit of the currency: 4900 is €49.00."


class PeriodSerializer(serializers.Serializer[Any]):
    """The last 7, 30 or 90 days of the site's time zone, today included."""

    start = serializers.DateTimeField(help_text="Midnight at which the first day begins.")
    end = serializers.DateTimeField(help_text="Now.")
    timeframe = serializers.ChoiceField(choices=list(TIMEFRAMES))


class DaySerializer(serializers.Serializer[Any]):
    """One day in one currency; days without money are there too. Refunds and disputes count on their own day."""

    _id = serializers.DateField(help_text="The day.")
    currency = serializers.CharField(help_text="Three letters, lower case.")
    totalRevenue = serializers.IntegerField(help_text=f"Received. {MINOR}")
    transactionCount = serializers.IntegerField()
    refunded = serializers.IntegerField(help_text=MINOR)
    disputesLost = serializers.IntegerField(help_text=MINOR)
    disputesWonBack = serializers.IntegerField(help_text=f"Lost before, and won after all. {MINOR}")
    net = serializers.IntegerField(help_text=f"What is left of it. {MINOR}")


class RevenueSerializer(serializers.Serializer[Any]):
    """Money by currency: amounts of different currencies are never added."""

    total = serializers.DictField(child=serializers.IntegerField(), help_text=f"Received, by currency. {MINOR}")
    net = serializers.DictField(child=serializers.IntegerField(), help_text=f"What is left, by currency. {MINOR}")
    daily = DaySerializer(many=True)


class PlanFiguresSerializer(serializers.Serializer[Any]):
    """One plan in one currency."""

    _id = serializers.CharField(help_text="The plan's slug; empty where it is none of ours.")
    currency = serializers.CharField(help_text="Three letters, lower case.")
    count = serializers.IntegerField(help_text="Active subscriptions.")
    revenue = serializers.IntegerField(help_text=f"What they bring in a month. {MINOR}")
    trialing = serializers.IntegerField()
    overdue = serializers.IntegerField()
    paused = serializers.IntegerField(help_text="Nothing is collected at the moment.")


class SubscriptionFiguresSerializer(serializers.Serializer[Any]):
    """As things stand now."""

    active = PlanFiguresSerializer(many=True)
    conversionRate = serializers.FloatField(help_text="Premium users among all users, in percent.")


class CitySerializer(serializers.Serializer[Any]):
    """One of the ten cities whose buyers paid most, of each currency."""

    _id = serializers.CharField(help_text="The city.")
    currency = serializers.CharField(help_text="Three letters, lower case.")
    revenue = serializers.IntegerField(help_text=f"Received. {MINOR}")
    transactions = serializers.IntegerField()


class SummarySerializer(serializers.Serializer[Any]):
    """Users as they are now."""

    totalUsers = serializers.IntegerField()
    premiumUsers = serializers.IntegerField()
    freeUsers = serializers.IntegerField()


class LagSerializer(serializers.Serializer[Any]):
    """Seconds from an event's receipt to the end of its processing; null where there was none."""

    p50 = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True)


class WebhooksSerializer(serializers.Serializer[Any]):
    """Stripe's events of the period, and the queue as it is now."""

    received = serializers.IntegerField()
    processed = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Errors of ours; what banks decline is none.")
    successRate = serializers.FloatField(allow_null=True, help_text="In percent; null without events.")
    lagSeconds = LagSerializer()
    backlog = serializers.IntegerField(help_text="Events that are due; counted to 10001.")
    oldestPendingAt = serializers.DateTimeField(allow_null=True)
    lastWebhookAt = serializers.DateTimeField(allow_null=True)
    lastPaymentAt = serializers.DateTimeField(allow_null=True)


class BegunSerializer(serializers.Serializer[Any]):
    """Orders of one kind that were begun in the period, and how many of them are paid by now."""

    begun = serializers.IntegerField()
    paid = serializers.IntegerField()


class OrdersSerializer(serializers.Serializer[Any]):
    """What was begun."""

    byKind = serializers.DictField(child=BegunSerializer())
    declinedPayments = serializers.IntegerField(help_text="Refused by banks.")


class ExceptionsSerializer(serializers.Serializer[Any]):
    """What waits for a decision about money."""

    open = serializers.IntegerField()


class DashboardSerializer(serializers.Serializer[Any]):
    """The figures of the dashboard."""

    period = PeriodSerializer()
    revenue = RevenueSerializer()
    subscriptions = SubscriptionFiguresSerializer()
    geographic = CitySerializer(many=True)
    summary = SummarySerializer()
    orders = OrdersSerializer()
    products = serializers.DictField(
        child=serializers.DictField(child=serializers.IntegerField()),
        help_text="What products count: by name and part, such as accesses by what gives them.",
    )
    webhooks = WebhooksSerializer()
    exceptions = ExceptionsSerializer()
    refreshedAt = serializers.DateTimeField(allow_null=True, help_text="When the figures were counted last.")


EXAMPLE = {
    "period": {"start": "2026-03-01T00:00:00+01:00", "end": "2026-03-07T18:02:11+01:00", "timeframe": "7d"},
    "revenue": {
        "total": {"eur": 4900},
        "net": {"eur": 4400},
        "daily": [
            {
                "_id": "2026-03-01", "currency": "eur", "totalRevenue": 4900, "transactionCount": 1, "refunded": 500,
                "disputesLost": 0, "disputesWonBack": 0, "net": 4400,
            }
        ],
    },
    "subscriptions": {
        "active": [
            {
                "_id": "monthly", "currency": "eur", "count": 12, "revenue": 4800, "trialing": 1, "overdue": 0,
                "paused": 0,
            }
        ],
        "conversionRate": 24.0,
    },
    "geographic": [{"_id": "Lyon", "currency": "eur", "revenue": 4900, "transactions": 1}],
    "summary": {"totalUsers": 50, "premiumUsers": 12, "freeUsers": 38},
    "orders": {"byKind": {"registration": {"begun": 2, "paid": 1}}, "declinedPayments": 1},
    "products": {"accesses": {"purchase": 3}},
    "webhooks": {
        "received": 8, "processed": 8, "failed": 0, "successRate": 100.0, "lagSeconds": {"p50": 0.015, "p95": 0.05},
        "backlog": 0, "oldestPendingAt": None, "lastWebhookAt": "2026-03-01T14:05:00+01:00",
        "lastPaymentAt": "2026-03-01T14:05:00+01:00",
    },
    "exceptions": {"open": 0},
    "refreshedAt": "2026-03-07T18:02:09+01:00",
}  # fmt: skip
DASHBOARD: dict[str, Any] = {
    "operation_id": "get_payments_dashboard",
    "summary": "The figures of the dashboard",
    "description": (
        "For staff who may see the dashboard, by the session's cookie. Counted by day from the payments themselves, "
        "a few seconds ago at most; `refreshedAt` says when."
    ),
    "parameters": [
        OpenApiParameter(
            "timeframe", enum=list(TIMEFRAMES), default=DEFAULT_TIMEFRAME, description="So many days, today included."
        )
    ],
    "responses": {
        200: OpenApiResponse(DashboardSerializer, examples=[OpenApiExample("A week", value=EXAMPLE)]),
        400: refusal("There is no such timeframe.", invalid="Some fields are missing or wrong."),
        403: refusal(
            "Nobody is signed in, or they may not see the dashboard.",
            not_authenticated="Authentication credentials were not provided.",
            forbidden="You do not have permission to perform this action.",
        ),
    },
}


class MaySeeDashboard(BasePermission):
    """Staff with the right to the screen."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_staff and request.user.has_perm("payments.view_dashboard"))


@method_decorator([never_cache, masking], name="dispatch")
class DashboardView(APIView):
    """The same figures as the screen."""

    authentication_classes = (SessionAuthentication,)
    permission_classes = (IsAuthenticated, MaySeeDashboard)

    @extend_schema(**DASHBOARD)
    def get(self, request: Request) -> Response:
        timeframe = request.query_params.get("timeframe", DEFAULT_TIMEFRAME)
        if timeframe not in TIMEFRAMES:
            raise serializers.ValidationError({"timeframe": [f"Must be one of: {', '.join(TIMEFRAMES)}."]})
        return Response(as_json(read_figures(timeframe, at=timezone.now())))
