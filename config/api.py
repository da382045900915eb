"""What the JSON API of every app has in common: no unknown fields, and the form of errors."""

from collections.abc import Mapping
from typing import Any, cast

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError


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
