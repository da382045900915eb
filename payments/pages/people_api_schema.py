"""What the staff's API of people tells, under the names of the dashboard that it replaces, and its documentation."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from accounts.models import User
from config.api import INVALID, MISSING, NO_LENGTH, NOT_JSON, TOO_LARGE, StrictSerializer, refusal
from payments.billing.models import Customer, Payment, Subscription
from payments.timeline import Holding

SMALLEST_UNIT = "In the smallest unit of `currency`: 4900 is €49.00."
STAFF = (
    "For staff: the request carries the session's cookie, and where something is done `X-CSRFToken` with the value of "
    "the cookie `csrftoken`."
)


class PersonSerializer(serializers.Serializer[User]):
    """The account."""

    id = serializers.IntegerField(source="pk")
    email = serializers.EmailField()
    name = serializers.CharField()
    language = serializers.CharField()
    isActive = serializers.BooleanField(source="is_active")
    emailConfirmedAt = serializers.DateTimeField(source="email_confirmed_at", allow_null=True)
    createdAt = serializers.DateTimeField(source="date_joined")


class CustomerOfPersonSerializer(serializers.Serializer[Customer]):
    """Who they are at Stripe, as we know it."""

    stripeCustomerId = serializers.CharField(source="stripe_id")
    email = serializers.CharField()
    name = serializers.CharField()
    city = serializers.CharField()
    country = serializers.CharField()
    deletedAt = serializers.DateTimeField(source="deleted_at", allow_null=True)


class SubscriptionOfPersonSerializer(serializers.Serializer[Subscription]):
    """The newest one, as we know it."""

    stripeSubscriptionId = serializers.CharField(source="stripe_id")
    planType = serializers.CharField(source="plan.slug", default=None, help_text="The slug of its plan, or null.")
    status = serializers.CharField(help_text="Stripe's word.")
    amount = serializers.IntegerField(help_text=f"{SMALLEST_UNIT} Due each interval.")
    currency = serializers.CharField()
    interval = serializers.CharField()
    currentPeriodEnd = serializers.DateTimeField(source="period_end", allow_null=True)
    cancelAt = serializers.DateTimeField(source="cancel_at", allow_null=True, help_text="Its planned end, or null.")
    endedAt = serializers.DateTimeField(source="ended_at", allow_null=True)


class PaymentOfPersonSerializer(serializers.Serializer[Payment]):
    """The money of one payment."""

    id = serializers.CharField(source="key", help_text="`pi_…`, `cs_…` or `in_…`.")
    belongsTo = serializers.SerializerMethodField(help_text="The number of the order, or the id of the subscription.")
    amount = serializers.IntegerField(source="received", help_text=SMALLEST_UNIT)
    refunded = serializers.IntegerField(help_text=SMALLEST_UNIT)
    lost = serializers.IntegerField(help_text=f"To disputes. {SMALLEST_UNIT}")
    currency = serializers.CharField()
    paidAt = serializers.DateTimeField(source="paid_at", allow_null=True)

    def get_belongsTo(self, _payment: Payment) -> str:
        return str(self.context.get("owner", ""))


class HoldingSerializer(serializers.Serializer[Holding]):
    """A place or an access."""

    what = serializers.CharField()
    state = serializers.CharField(help_text="In words, in the language of `Accept-Language`.")
    isOpen = serializers.BooleanField(source="is_open")
    source = serializers.CharField(help_text="What it rests on, in words.")  # type: ignore[assignment]
    until = serializers.DateTimeField(allow_null=True, help_text="When it expires, or takes place. Null: no end.")


class LiveCustomerSerializer(serializers.Serializer[Any]):
    """As Stripe tells it now."""

    id = serializers.CharField()
    email = serializers.CharField()
    name = serializers.CharField()
    deleted = serializers.BooleanField()


class LiveSubscriptionSerializer(serializers.Serializer[Any]):
    """As Stripe tells it now."""

    id = serializers.CharField()
    status = serializers.CharField()
    currentPeriodEnd = serializers.DateTimeField(allow_null=True)
    cancelAt = serializers.DateTimeField(allow_null=True)


class StripeDataSerializer(serializers.Serializer[Any]):
    """What Stripe says at this moment."""

    askedAt = serializers.DateTimeField()
    customers = LiveCustomerSerializer(many=True)
    subscriptions = LiveSubscriptionSerializer(many=True)
    error = serializers.CharField(allow_null=True, help_text="Why not all of it is there.")


class PersonPaymentsSerializer(serializers.Serializer[Any]):
    """All that is known of one person."""

    user = PersonSerializer()
    stripeCustomer = CustomerOfPersonSerializer(allow_null=True)
    subscription = SubscriptionOfPersonSerializer(allow_null=True)
    payments = PaymentOfPersonSerializer(many=True, help_text="The latest first; of the newest 50 orders.")
    accesses = HoldingSerializer(many=True)
    stripeData = StripeDataSerializer(allow_null=True, help_text="Null unless it is asked for with `live=1`.")


class WantedSyncSerializer(StrictSerializer):
    """Why, for the history."""

    reason = serializers.CharField(max_length=200, help_text="Kept with what changes, for whoever asks later.")


class ChangedValueSerializer(serializers.Serializer[Any]):
    """One thing that Stripe told otherwise."""

    subject = serializers.CharField(help_text="The order, subscription or customer.")
    what = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class SyncedSerializer(serializers.Serializer[Any]):
    """What was changed; nothing where all was as Stripe says."""

    success = serializers.BooleanField()
    message = serializers.CharField()
    changes = ChangedValueSerializer(many=True)
    missing = serializers.ListField(child=serializers.CharField(), help_text="Names that Stripe does not know.")


NOT_ALLOWED = refusal(
    "Nobody is signed in, a right is missing, or the token against forged requests is.",
    not_authenticated="Authentication credentials were not provided.",
    forbidden="You do not have permission to perform this action.",
)
NO_STRIPE = refusal(
    "Stripe does not answer. What was changed before it fell silent stays; ask again.",
    stripe_unavailable="Stripe does not answer at the moment.",
)
PAYMENTS: dict[str, Any] = {
    "operation_id": "get_user_payments",
    "summary": "All the payments of one person",
    "description": f"{STAFF} With `live=1`, for who may resync, Stripe is asked as well, for 5 seconds a question.",
    "parameters": [OpenApiParameter("live", OpenApiTypes.BOOL, description="Ask Stripe, too.")],
    "responses": {200: PersonPaymentsSerializer, 403: NOT_ALLOWED, 404: MISSING},
}
SYNC: dict[str, Any] = {
    "operation_id": "sync_user",
    "summary": "Bring everything of one person in line with Stripe",
    "description": (
        f"{STAFF} Their orders, and who they are at Stripe with all their subscriptions. No message goes out twice; "
        "asked again, there is nothing left to change."
    ),
    "request": WantedSyncSerializer,
    "responses": {
        200: SyncedSerializer,
        400: INVALID,
        403: NOT_ALLOWED,
        404: MISSING,
        409: refusal("It is changing at this moment.", not_now="Something of this person is changing …"),
        411: NO_LENGTH,
        413: TOO_LARGE,
        415: NOT_JSON,
        503: NO_STRIPE,
    },
}
