"""What goes over the wire. Amounts in the smallest unit of the currency beside them; times with their offset."""

from typing import Any, cast

from django.conf import settings
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import EmailValidator
from rest_framework import serializers

from accounts.fields import AddressValidator, normal_address
from config.api import StrictSerializer
from payments.billing.models import Receipt
from registrations.forms import EMAIL_MAX_LENGTH, NAME_MAX_LENGTH, tidy_name
from registrations.links import token_of
from registrations.models import Activity, Registration, RegistrationStatus, Sale

SMALLEST_UNIT = "In the smallest unit of `currency`: 4900 is €49.00."
TOKEN = "By which the registration is reached from now on. Whoever has it may see and pay: keep it to the buyer."


class ActivitySerializer(serializers.Serializer[Activity]):
    """Something that people register for."""

    # Of an activity read `with_waiting`; `at` in the context is the moment of the request.

    slug = serializers.CharField(help_text="Its name in addresses.")
    title = serializers.CharField()
    description = serializers.CharField()
    starts_at = serializers.DateTimeField()
    place = serializers.CharField(help_text="Where it is.")
    price = serializers.IntegerField(help_text=f"{SMALLEST_UNIT} 0: free, registered by confirming the address.")
    currency = serializers.CharField(help_text="Three letters, lower case.")
    capacity = serializers.IntegerField(help_text="How many places there are.")
    places_left = serializers.IntegerField(
        help_text="Free at this moment. With state `full` they are for people on the waiting list."
    )
    state = serializers.SerializerMethodField(help_text="One can register while it is `open`.")

    def get_state(self, activity: Activity) -> Sale:
        has_waiting = cast(Any, activity).has_waiting
        return activity.sale_at(self.context["at"], has_waiting=has_waiting)


class ActivityPageSerializer(serializers.Serializer[Any]):
    """A page of the list."""

    count = serializers.IntegerField(help_text="How many there are on all pages.")
    next = serializers.URLField(allow_null=True, help_text="The next page.")
    previous = serializers.URLField(allow_null=True, help_text="The page before.")
    results = ActivitySerializer(many=True)


class AddressField(serializers.EmailField):
    """An address, brought into its one spelling before it is looked at."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        usual = [each for each in self.validators if isinstance(each, EmailValidator)]
        self.validators = [each for each in self.validators if each not in usual]
        self.validators.append(AddressValidator(message=usual[0].message, allowlist=[]))

    def to_internal_value(self, data: Any) -> str:
        return normal_address(super().to_internal_value(data))


class NewRegistrationSerializer(StrictSerializer):
    """Who wants a place."""

    name = serializers.CharField(max_length=NAME_MAX_LENGTH, help_text="On one line.")
    email = AddressField(max_length=EMAIL_MAX_LENGTH, help_text="Where messages go.")
    language = serializers.ChoiceField(
        choices=settings.LANGUAGES,
        required=False,
        help_text="Of messages and of the payment page; by default the language of the request.",
    )

    def validate_name(self, name: str) -> str:
        try:
            return tidy_name(name)
        except DjangoValidationError as refused:
            raise serializers.ValidationError(refused.messages) from None


class RegistrationSerializer(serializers.Serializer[Registration]):
    """What every answer about a registration tells."""

    status = serializers.ChoiceField(choices=RegistrationStatus.choices)
    place_held_until = serializers.DateTimeField(
        source="held_until",
        allow_null=True,
        help_text="The place is free again then, unless it is paid or confirmed; null: it is held without a limit.",
    )
    amount = serializers.IntegerField(source="order.amount", help_text=SMALLEST_UNIT)
    currency = serializers.CharField(source="order.currency", help_text="Three letters, lower case.")


class CheckoutSerializer(RegistrationSerializer):
    """A registration and where to pay for it."""

    # In the context: `checkout_url`, and `with_token` whether the caller may learn the token.
    token = serializers.SerializerMethodField(help_text=f"{TOKEN} Null where it was begun before.")
    checkout_url = serializers.SerializerMethodField(
        help_text="Stripe's payment page for this registration; null if nothing is to be paid, or it was begun before."
    )

    def get_token(self, registration: Registration) -> str | None:
        return token_of(registration) if self.context["with_token"] else None

    def get_checkout_url(self, registration: Registration) -> str | None:
        url = self.context["checkout_url"]
        return str(url) if url else None


class RegisteredActivitySerializer(serializers.Serializer[Activity]):
    """What a registration is for."""

    slug = serializers.CharField()
    title = serializers.CharField()
    starts_at = serializers.DateTimeField()
    place = serializers.CharField()
    called_off_at = serializers.DateTimeField(allow_null=True)


class OtherMoneySerializer(serializers.Serializer[Any]):
    """Money that came in another currency than the one that was asked for."""

    currency = serializers.CharField(help_text="Three letters, lower case.")
    amount_received = serializers.IntegerField(source="received", help_text=SMALLEST_UNIT)
    amount_refunded = serializers.IntegerField(source="refunded", help_text=SMALLEST_UNIT)


class RegistrationStateSerializer(RegistrationSerializer):
    """A registration as it is now."""

    status_text = serializers.CharField(help_text="The status in words.")
    holds_place = serializers.BooleanField(
        help_text="Whether a place is theirs now. A paid registration without one: staff are looking into it."
    )
    paid_at = serializers.DateTimeField(source="order.paid_at", allow_null=True)
    amount_received = serializers.IntegerField(source="order.amount_received", help_text=SMALLEST_UNIT)
    amount_refunded = serializers.IntegerField(source="order.amount_refunded", help_text=SMALLEST_UNIT)
    other_money = OtherMoneySerializer(
        source="order.other_money", many=True, required=False,
        help_text="Only there where money came in another currency than asked for: staff are looking into it.",
    )  # fmt: skip
    activity = RegisteredActivitySerializer()
    receipt_number = serializers.SerializerMethodField(help_text="Null until there is a receipt.")

    def to_representation(self, registration: Registration) -> dict[str, Any]:
        told = super().to_representation(registration)
        return told if told["other_money"] else {name: value for name, value in told.items() if name != "other_money"}

    def get_receipt_number(self, registration: Registration) -> str | None:
        receipt = Receipt.objects.filter(order_id=registration.order_id).first()
        return str(receipt) if receipt else None
