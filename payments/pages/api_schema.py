"""What goes over the wire of the API, and how its documentation describes it."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from config.api import (
    INVALID,
    LIMIT_HEADERS,
    NO_LENGTH,
    NOT_JSON,
    TOO_LARGE,
    NothingSerializer,
    StrictSerializer,
    refusal,
)
from payments.billing.models import Interval, Plan, Subscription
from payments.billing.subscribers import told_until
from payments.subscribing.account import SubscriptionDisplayState, display_state_of

SMALLEST_UNIT = "In the smallest unit of `currency`: 400 is €4.00."
MAX_SLUG_LENGTH = 50
TOLD_AS_IT_IS = ("amount", "currency", "interval", "interval_count", "period_end", "resumes_at")


class PlanSerializer(serializers.Serializer[Plan]):
    """Something to subscribe to."""

    slug = serializers.CharField(help_text="Its name in addresses.")
    name = serializers.CharField()
    amount = serializers.IntegerField(help_text=f"{SMALLEST_UNIT} Due each interval.")
    currency = serializers.CharField(help_text="Three letters, lower case.")
    interval = serializers.ChoiceField(choices=Interval.choices)


class SubscriptionSerializer(serializers.Serializer[Any]):
    """The subscription as it is now. With state `none` everything else is null."""

    state = serializers.ChoiceField(choices=[(each.value, each.value) for each in SubscriptionDisplayState])
    plan = serializers.CharField(allow_null=True, help_text="The slug of its plan.")
    amount = serializers.IntegerField(allow_null=True, help_text=SMALLEST_UNIT)
    currency = serializers.CharField(allow_null=True, help_text="Three letters, lower case.")
    interval = serializers.CharField(allow_null=True, help_text="`day`, `week`, `month` or `year`.")
    interval_count = serializers.IntegerField(allow_null=True, help_text="Due every so many intervals.")
    period_end = serializers.DateTimeField(
        allow_null=True, help_text="The end of the period; unless it ends, the next payment is due then."
    )
    ends_at = serializers.DateTimeField(allow_null=True, help_text="Null: it goes on.")
    access_until = serializers.DateTimeField(
        allow_null=True, help_text="What is paid for is open until then, as it stands. Null: nothing is open."
    )
    resumes_at = serializers.DateTimeField(
        allow_null=True, help_text="With state `paused`: when payments go on. Null: nobody knows yet."
    )


class WantedPlanSerializer(StrictSerializer):
    """Which plan."""

    plan = serializers.CharField(max_length=MAX_SLUG_LENGTH, help_text="The slug of a plan on sale.")

    def validate_plan(self, slug: str) -> Plan:
        plan = Plan.objects.filter(slug=slug, is_on_sale=True).first()
        if plan is None:
            raise serializers.ValidationError(_("There is no such plan."))
        return plan


class WantedChangeSerializer(WantedPlanSerializer):
    """Exactly one of the two."""

    plan = serializers.CharField(
        max_length=MAX_SLUG_LENGTH, required=False, help_text="The slug of another plan on sale."
    )
    cancel_at_period_end = serializers.BooleanField(
        required=False, help_text="True: it ends with the period. False: it goes on after all."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError(_("Send either the plan or cancel_at_period_end."))
        return attrs


class CheckoutPageSerializer(serializers.Serializer[Any]):
    """Where to pay."""

    checkout_url = serializers.URLField(help_text="Stripe's payment page, always the same while it is open.")


class PortalPageSerializer(serializers.Serializer[Any]):
    """Where cards and invoices are."""

    portal_url = serializers.URLField(help_text="Stripe's page. It lets in whoever knows the address, for minutes.")


def shown(row: Subscription | None) -> dict[str, Any]:
    """The subscription, or that there is none, as the answer tells it."""
    told: dict[str, Any] = dict.fromkeys(SubscriptionSerializer().fields)
    if row:
        told |= {name: getattr(row, name) for name in TOLD_AS_IT_IS}
        told |= {
            "plan": row.plan.slug if row.plan else None, "ends_at": row.cancel_at, "access_until": told_until(row),
        }  # fmt: skip
    return dict(SubscriptionSerializer(told | {"state": display_state_of(row)}).data)


CHECKOUT = {"checkout_url": "https://checkout.stripe.com/c/pay/cs_live_a1b2c3"}
PORTAL_URL = {"portal_url": "https://billing.stripe.com/p/session/live_a1b2c3"}
ACTIVE = {
    "state": "active",
    "plan": "monthly",
    "amount": 400,
    "currency": "eur",
    "interval": "month",
    "interval_count": 1,
    "period_end": "2026-10-01T12:00:00+02:00",
    "ends_at": None,
    "access_until": "2026-10-01T12:00:00+02:00",
    "resumes_at": None,
}
SIGNED_OUT = refusal(
    "Nobody is signed in, or the token against forged requests is missing.",
    not_authenticated="Authentication credentials were not provided.",
    forbidden="CSRF Failed: CSRF token missing.",
)
TOO_OFTEN = refusal("This client has tried too often.", throttled="You have tried too often. Try again in 15 minutes.")
UNAVAILABLE = refusal(
    "Stripe cannot be reached, or refuses; or sales are paused, which stops only what begins a payment. Try again.",
    sales_paused="Nothing can be bought at the moment. What you have bought or paid for already is not affected.",
    stripe_unavailable="This is not possible at the moment. Please try again in a few minutes.",
)
SUBSCRIPTION = OpenApiResponse(SubscriptionSerializer, examples=[OpenApiExample("Active", value=ACTIVE)])
REFUSALS = {
    400: INVALID,
    403: SIGNED_OUT,
    411: NO_LENGTH,
    413: TOO_LARGE,
    415: NOT_JSON,
    429: TOO_OFTEN,
    503: UNAVAILABLE,
}
COOKIE = (
    "For who is signed in on the site: the request carries the session's cookie, and `X-CSRFToken` with the value of "
    "the cookie `csrftoken`."
)

PLANS: dict[str, Any] = {
    "operation_id": "list_plans",
    "summary": "Plans on sale",
    "responses": {200: PlanSerializer(many=True)},
}
STATE: dict[str, Any] = {
    "operation_id": "get_subscription",
    "summary": "The person's subscription",
    "responses": {200: SUBSCRIPTION, 403: SIGNED_OUT},
}
SUBSCRIBE: dict[str, Any] = {
    "operation_id": "subscribe",
    "summary": "Subscribe to a plan",
    "description": f"Opens Stripe's payment page: send the buyer to `checkout_url`. {COOKIE}",
    "request": WantedPlanSerializer,
    "examples": [OpenApiExample("Monthly", value={"plan": "monthly"}, request_only=True)],
    "parameters": LIMIT_HEADERS,
    "responses": {
        201: OpenApiResponse(CheckoutPageSerializer, examples=[OpenApiExample("Opened", value=CHECKOUT)]),
        409: refusal(
            "There is a subscription already, or a payment is under way.",
            already_subscribed="You have subscribed already: change the plan instead.",
            not_now="A payment of yours is under way. Please look again in a minute.",
        ),
        **REFUSALS,
    },
}
CHANGE: dict[str, Any] = {
    "operation_id": "change_subscription",
    "summary": "Change the plan, cancel, or go on after all",
    "description": (
        "Another plan holds at once: what is left of the old period is credited, the rest is charged. A cancellation "
        f"ends the subscription with its period. {COOKIE}"
    ),
    "request": WantedChangeSerializer,
    "examples": [
        OpenApiExample("Another plan", value={"plan": "yearly"}, request_only=True),
        OpenApiExample("Cancel", value={"cancel_at_period_end": True}, request_only=True),
    ],
    "parameters": LIMIT_HEADERS,
    "responses": {
        200: SUBSCRIPTION,
        402: refusal(
            "The bank has declined the payment of the difference; nothing has changed.",
            declined="Your bank has declined the payment. Nothing has changed.",
        ),
        409: refusal(
            "As things stand, that cannot be done.",
            no_subscription="There is no subscription.",
            not_changeable="The subscription cannot go to this plan as it stands.",
        ),
        **REFUSALS,
    },
}
PORTAL: dict[str, Any] = {
    "operation_id": "open_portal",
    "summary": "Cards and invoices",
    "description": f"Opens Stripe's Customer Portal: send the person to `portal_url`. {COOKIE}",
    "request": NothingSerializer,
    "parameters": LIMIT_HEADERS,
    "responses": {
        201: OpenApiResponse(PortalPageSerializer, examples=[OpenApiExample("Opened", value=PORTAL_URL)]),
        409: refusal("Nothing was ever subscribed to.", no_subscription="There is no subscription."),
        **REFUSALS,
    },
}
