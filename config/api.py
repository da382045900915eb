"""What the JSON API of every app has in common: no unknown fields, the form of errors, and two refusals."""

from collections.abc import Mapping
from typing import Any, cast

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ValidationError

# How long Stripe mostly needs to be itself again.
RETRY_SECONDS = 30


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses what it does not know: a field with a slip in its name would otherwise be lost without a word."""

    def to_internal_value(self, data: Any) -> Any:
        known = self.fields
        names = [name for name in data if name not in known] if isinstance(data, Mapping) else []
        unknown = {name: [_("There is no such field.")] for name in names}
        try:
            values = super().to_internal_value(data)
        except ValidationError as wrong:
            raise ValidationError({**cast(dict[str, Any], wrong.detail), **unknown}) from None
        if unknown:
            raise ValidationError(unknown)
        return values


class ErrorDetail(serializers.Serializer[Any]):
    """What was refused, and why."""

    code = serializers.CharField(help_text="One word for programs.")
    message = serializers.CharField(help_text="A sentence for people, in the language of the request.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="With code `invalid`: what is wrong with each field.",
    )
    request_id = serializers.CharField(help_text="To quote when you ask for help.")


class Error(serializers.Serializer[Any]):
    """The form of every answer from 400 on."""

    error = ErrorDetail()


class Conflict(APIException):
    """The request is well-formed, but things are not so that it could be done: 409."""

    status_code: int = status.HTTP_409_CONFLICT

    def __init__(self, code: str, message: str | Promise) -> None:
        super().__init__(detail=str(message), code=code)


class Unavailable(Conflict):
    """Nothing is wrong with the request: 503, with Retry-After."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    wait = RETRY_SECONDS
