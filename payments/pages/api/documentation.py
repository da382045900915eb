"""What the OpenAPI schema says about each address beside what the code says of itself. In English, as code is."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from config.api_documentation import INVALID, NOT_JSON, RETRY_AFTER, TOO_LARGE, refusal
from payments.pages.api.serializers import (
    CheckoutPageSerializer,
    NothingSerializer,
    PlanSerializer,
    PortalPageSerializer,
    SubscriptionSerializer,
    WantedChangeSerializer,
    WantedPlanSerializer,
)

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
}
SIGNED_OUT = refusal(
    "Nobody is signed in, or the token against forged requests is missing.",
    not_authenticated="Authentication credentials were not provided.",
    forbidden="CSRF Failed: CSRF token missing.",
)
TOO_OFTEN = refusal("This client has tried too often.", throttled="You have tried too often. Try again in 15 minutes.")
UNAVAILABLE = refusal(
    "Stripe cannot be reached, or refuses; try again.",
    stripe_unavailable="The payment service does not answer. Please try again in a few minutes.",
)
SUBSCRIPTION = OpenApiResponse(SubscriptionSerializer, examples=[OpenApiExample("Active", value=ACTIVE)])
REFUSALS = {400: INVALID, 403: SIGNED_OUT, 413: TOO_LARGE, 415: NOT_JSON, 429: TOO_OFTEN, 503: UNAVAILABLE}
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
    "parameters": [RETRY_AFTER],
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
    "parameters": [RETRY_AFTER],
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
    "parameters": [RETRY_AFTER],
    "responses": {
        201: OpenApiResponse(PortalPageSerializer, examples=[OpenApiExample("Opened", value=PORTAL_URL)]),
        409: refusal("Nothing was ever subscribed to.", no_subscription="There is no subscription."),
        **REFUSALS,
    },
}
