"""What the OpenAPI schema says about each address beside what the code says of itself. In English, as code is."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from config.api import INVALID, LIMIT_HEADERS, MISSING, NO_LENGTH, NOT_JSON, TOO_LARGE, NothingSerializer, refusal
from registrations.api.serializers import (
    ActivityPageSerializer,
    ActivitySerializer,
    CheckoutSerializer,
    NewRegistrationSerializer,
    RegistrationStateSerializer,
)

TOKEN = "zLrMWQ5BS0ayDcnhFIYl1A:q3Jv0ERPRYgCk0gP8uJ8X2GpdnGQK7mCbfW0l6J5Bqk"
PERSON = {"name": "Camille Martin", "email": "camille@example.com", "language": "fr"}
STARTED = {
    "token": TOKEN,
    "status": "PENDING",
    "place_held_until": "2026-09-01T12:31:00+02:00",
    "amount": 4900,
    "currency": "eur",
    "checkout_url": "https://checkout.stripe.com/c/pay/cs_live_a1b2c3",
}
TOO_OFTEN = refusal(
    "This client has tried too often; registering and paying count together.",
    throttled="You have tried too often. Try again in 15 minutes.",
)
NO_CHECKOUT = refusal(
    "Stripe cannot be reached, or refuses; or sales are paused. The message says whether a place is free again or "
    "held; try again.",
    sales_paused="Nothing can be bought at the moment. What you have bought or paid for already is not affected.",
    checkout_unavailable="Payment cannot be started at the moment. Nothing was charged, and the place is free again.",
)
NOT_PAYABLE = "There is nothing to pay for this registration, or not any more."
BODY_REFUSALS = {
    400: INVALID,
    404: MISSING,
    411: NO_LENGTH,
    413: TOO_LARGE,
    415: NOT_JSON,
    429: TOO_OFTEN,
    503: NO_CHECKOUT,
}

LIST: dict[str, Any] = {
    "operation_id": "list_activities",
    "summary": "Activities on sale",
    "description": "The next one first, a hundred on a page, with the places that are left at this moment.",
    "parameters": [OpenApiParameter("page", int, description="The page, from 1.")],
    "responses": {200: ActivityPageSerializer, 404: MISSING},
}
ACTIVITY: dict[str, Any] = {
    "operation_id": "get_activity",
    "summary": "One activity",
    "responses": {200: ActivitySerializer, 404: MISSING},
}
REGISTER: dict[str, Any] = {
    "operation_id": "register",
    "tags": ["registrations"],
    "summary": "Register one person",
    "description": (
        "Holds a place and opens Stripe's payment page for it: send the buyer to `checkout_url`. What is free is held "
        "for half an hour, while the person confirms their address by the link of an e-mail. Where the same person "
        "(name and e-mail) has begun already, an e-mail with the way on goes to that address, and neither `token` nor "
        "`checkout_url` is told. One address, and one client, can hold a few unpaid places at a time."
    ),
    "request": NewRegistrationSerializer,
    "examples": [OpenApiExample("A person", value=PERSON, request_only=True)],
    "parameters": LIMIT_HEADERS,
    "responses": {
        201: OpenApiResponse(
            CheckoutSerializer, description="Registered.", examples=[OpenApiExample("Registered", value=STARTED)]
        ),
        200: OpenApiResponse(CheckoutSerializer, description="This person had begun already, and is sent the way on."),
        409: refusal(
            "No place can be sold to this person.",
            activity_full="No place is left in this activity.",
            sales_closed="Places in this activity are not on sale.",
            already_registered="This person is registered for this activity already.",
            too_many_holds="Several places are already held without being paid, for this address or from this …",
        ),
        **BODY_REFUSALS,
    },
}
STATE: dict[str, Any] = {
    "operation_id": "get_registration",
    "summary": "What became of a registration",
    "description": "Who comes back from paying names the session: where no event has told yet, Stripe is asked.",
    "parameters": [OpenApiParameter("session_id", str, description="The Checkout session of the return address.")],
    "responses": {200: RegistrationStateSerializer, 404: MISSING},
}
CHECKOUT: dict[str, Any] = {
    "operation_id": "open_checkout",
    "summary": "Where to pay for a registration",
    "description": "The payment page that is open, or a new one if it has ended and the registration still waits.",
    "request": NothingSerializer,
    "parameters": LIMIT_HEADERS,
    "responses": {
        200: CheckoutSerializer,
        409: refusal("There is nothing to pay, or not any more.", not_payable=NOT_PAYABLE),
        **BODY_REFUSALS,
    },
}
