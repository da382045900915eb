"""What goes over the wire, under the names of the modules' own programs. Times with their offset."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.api import StrictSerializer
from modules_access.models import AccessToken, AccessType, ModuleAccess, Purchase
from modules_access.services.my_modules import AccessState, access_state, renews_at, told_end
from modules_access.services.verify import Verified
from payments.statuses import OrderStatus

MAX_NAME_LENGTH = 255
MAX_LEVEL_LENGTH = 30
MAX_REASON_LENGTH = 500
MAX_TOKEN_HOURS = 8760
MAX_TOKEN_USES = 1_000_000
MODULE_HELP = "The address (slug) of a module, or its id."
JWT_HELP = "The JWT: whoever has it can use it. It is kept nowhere here."


@extend_schema_field({"oneOf": [{"type": "string", "maxLength": MAX_NAME_LENGTH}, {"type": "integer"}]})
class NameField(serializers.CharField):
    """A name or a number, as text or as a number."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_NAME_LENGTH, **options)


class WantedTokenSerializer(StrictSerializer):
    """For whom, for what, and because of which payment."""

    moduleId = NameField(source="module_id", help_text=MODULE_HELP)
    userId = NameField(source="user_id", help_text="The id of an account, or its confirmed e-mail address.")
    paymentId = serializers.CharField(
        source="payment_id",
        max_length=MAX_NAME_LENGTH,
        help_text=(
            "What it rests on, in any spelling: the number of an order (O-000123), its public id, the `cs_` or `pi_` "
            "id with which it was paid, or the number of an access that staff gave (A-000123)."
        ),
    )
    accessLevel = serializers.CharField(
        source="access_level", max_length=MAX_LEVEL_LENGTH, required=False, help_text="By default `standard`."
    )
    expirationHours = serializers.IntegerField(
        source="hours", min_value=1, max_value=MAX_TOKEN_HOURS, required=False,
        help_text="By default MODULE_TOKEN_HOURS (72). A token never outlives what it rests on.",
    )  # fmt: skip
    maxUsage = serializers.IntegerField(
        source="uses",
        min_value=1,
        max_value=MAX_TOKEN_USES,
        required=False,
        help_text="By default MODULE_TOKEN_USES (100).",
    )


class MadeTokenSerializer(serializers.Serializer[AccessToken]):
    """A token and a fresh JWT for it."""

    # In the context: `jwt`.
    token = serializers.SerializerMethodField(help_text=JWT_HELP)
    tokenId = serializers.UUIDField(source="jti", help_text="By which the token is revoked.")
    moduleId = serializers.CharField(source="module.slug")
    userId = serializers.IntegerField(source="user_id")
    accessLevel = serializers.CharField(source="access_level")
    expiresAt = serializers.DateTimeField(source="expires_at")
    maxUsage = serializers.IntegerField(source="max_usage")
    usesLeft = serializers.IntegerField(source="uses_left")

    def get_token(self, token: AccessToken) -> str:
        return str(self.context["jwt"])


class TokenToVerifySerializer(StrictSerializer):
    """A token that somebody has brought."""

    token = serializers.CharField(help_text="As it was brought.")
    moduleId = NameField(
        source="module_id", required=False, help_text=f"{MODULE_HELP} Needed unless the key is for one."
    )


class VerifiedSerializer(serializers.Serializer[Verified]):
    """Whom to let in."""

    userId = serializers.IntegerField(source="user.pk")
    email = serializers.EmailField(source="user.email")
    name = serializers.CharField(source="user.name")
    language = serializers.CharField(source="user.language")
    moduleId = serializers.CharField(source="module.slug")
    accessLevel = serializers.CharField(source="access_level")
    expiresAt = serializers.DateTimeField(
        source="expires_at", allow_null=True, help_text="When the access ends. Null: never by itself."
    )
    usesLeft = serializers.IntegerField(
        source="uses_left", allow_null=True, help_text="After this use. Null: they are not limited."
    )


class TokenToRevokeSerializer(StrictSerializer):
    """Exactly one of `tokenId` and `token`."""

    tokenId = serializers.UUIDField(source="token_id", required=False, help_text="As it was told when it was made.")
    token = serializers.CharField(required=False, help_text="A JWT for it, not yet expired.")
    reason = serializers.CharField(max_length=MAX_REASON_LENGTH, help_text="Why; it is kept.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("token_id" in attrs) == ("token" in attrs):
            raise serializers.ValidationError(_("Send either tokenId or token."))
        return attrs


class RevokedSerializer(serializers.Serializer[AccessToken]):
    """A token that lets nobody in any more."""

    tokenId = serializers.UUIDField(source="jti")
    moduleId = serializers.CharField(source="module.slug")
    revokedAt = serializers.DateTimeField(source="revoked_at")
    reason = serializers.CharField(source="revoked_reason", help_text="The first one, if it was revoked before.")


class OwnAccessSerializer(serializers.Serializer[ModuleAccess]):
    """One access, by one source; a module that is open in several ways is there several times."""

    # In the context: `at`, the moment of the request.
    accessId = serializers.IntegerField(source="pk")
    moduleId = serializers.CharField(source="module.slug")
    title = serializers.CharField(source="module.title")
    state = serializers.SerializerMethodField(help_text="It can be opened while it is `active`.")
    source = serializers.ChoiceField(  # type: ignore[assignment]
        source="access_type", choices=AccessType.choices, help_text="What gives it."
    )
    expiresAt = serializers.SerializerMethodField(help_text="Null: without end.")
    renewsAt = serializers.SerializerMethodField(help_text="When its subscription is renewed. Null: it is not.")
    usesLeft = serializers.SerializerMethodField(help_text="Null: they are not limited.")

    def get_state(self, access: ModuleAccess) -> AccessState:
        return access_state(access, at=self.context["at"])

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_expiresAt(self, access: ModuleAccess) -> str | None:
        return _moment(told_end(access))

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_renewsAt(self, access: ModuleAccess) -> str | None:
        return _moment(renews_at(access))

    def get_usesLeft(self, access: ModuleAccess) -> int | None:
        return access.token.uses_left if access.token else None


def _moment(moment: datetime | None) -> str | None:
    return serializers.DateTimeField().to_representation(moment) if moment else None


class WaitingSerializer(serializers.Serializer[Purchase]):
    """What was begun and is not paid yet."""

    orderId = serializers.UUIDField(source="order.public_id")
    number = serializers.CharField(source="order.number", help_text="To quote when you ask for help.")
    moduleId = serializers.CharField(source="module.slug")
    title = serializers.CharField(source="module.title")
    status = serializers.ChoiceField(source="order.status", choices=OrderStatus.choices)
    amount = serializers.IntegerField(
        source="order.amount", help_text="In the smallest unit of `currency`: 4900 is €49.00."
    )
    currency = serializers.CharField(source="order.currency", help_text="Three letters, lower case.")


class OwnModulesSerializer(serializers.Serializer[Any]):
    """The person's modules."""

    accesses = OwnAccessSerializer(many=True, help_text="The newest first.")
    waiting = WaitingSerializer(many=True, help_text="The newest first.")
