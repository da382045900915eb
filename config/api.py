"""What the JSON API of every app has in common: how it reads, how it refuses, and its OpenAPI schema."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from io import BytesIO
from typing import IO, Any, cast

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.parsers import JSONParser

LARGEST_BODY = 16 * 1024
# How long Stripe mostly needs to be itself again.
RETRY_SECONDS = 30
EXAMPLE_ID = "8f14e45fceea167a"
Endpoint = tuple[str, str, str, Callable[..., Any]]


class BodyTooLarge(APIException):
    """No request of ours is that long."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "body_too_large"
    default_detail = _("The body is too long.")


class SmallJSONParser(JSONParser):
    """JSON of at most LARGEST_BODY bytes, whatever its length claims to be. What cannot be read is a 400."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            body = stream.read(LARGEST_BODY + 1)
        except OSError:
            raise ParseError(_("The body could not be read to its end.")) from None
        if len(body) > LARGEST_BODY:
            raise BodyTooLarge
        try:
            return super().parse(BytesIO(body), media_type, parser_context)
        except RecursionError:
            raise ParseError(_("The body is nested too deeply.")) from None


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
    message = serializers.CharField(help_text="An English sentence.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="With code `invalid`: what is wrong with each field.",
    )
    request_id = serializers.CharField(help_text="To quote when you ask for help.")
    requestId = serializers.CharField(help_text="The same.")
    version = serializers.CharField(help_text="Of the program that answers.")


class Error(serializers.Serializer[Any]):
    """The form of every answer from 400 on."""

    error = ErrorDetail()
    requestId = serializers.CharField(help_text="To quote when you ask for help.")


class Conflict(APIException):
    """The request is well-formed, but things are not so that it could be done: 409."""

    status_code: int = status.HTTP_409_CONFLICT

    def __init__(self, code: str, message: str | Promise) -> None:
        super().__init__(detail=str(message), code=code)


class Unavailable(Conflict):
    """Nothing is wrong with the request: 503, with Retry-After."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    wait = RETRY_SECONDS


def _header(name: str, description: str, *, response: Sequence[int] = (200, 201, 429)) -> OpenApiParameter:
    return OpenApiParameter(name, int, OpenApiParameter.HEADER, response=list(response), description=description)


LIMIT_HEADERS = [
    _header("Retry-After", "After how many seconds to try again.", response=(429, 503)),
    _header("RateLimit-Limit", "How many tries there are in a window."),
    _header("RateLimit-Remaining", "How many of them are left."),
    _header("RateLimit-Reset", "In how many seconds the window ends."),
]


def error_example(code: str, message: str, **more: Any) -> OpenApiExample:
    """An error as it looks."""
    ids = {"request_id": EXAMPLE_ID, "requestId": EXAMPLE_ID, "version": "2026.11.1"}
    return OpenApiExample(
        code, value={"error": {"code": code, "message": message, **more, **ids}, "requestId": EXAMPLE_ID}
    )


def refusal(description: str, **codes: str) -> OpenApiResponse:
    """An error with the words that its `code` can be, and an example of each."""
    examples = [error_example(code, message) for code, message in codes.items()]
    return OpenApiResponse(Error, description=description, examples=examples)


INVALID = OpenApiResponse(
    Error,
    description="The body is no JSON object, or fields are missing, wrong or not known: `fields` says which.",
    examples=[
        error_example(
            "invalid", "Some fields are missing or wrong.", fields={"email": ["Enter a valid email address."]}
        )
    ],
)
MISSING = refusal("There is nothing at this address.", not_found="There is nothing at this address.")
TOO_LARGE = refusal("The body has more than 16 KiB.", body_too_large="The body is too long.")
NO_LENGTH = refusal(
    "The body is sent in chunks, without its length.", length_required="The request must say how long it is."
)
NOT_JSON = refusal("The body is not sent as JSON.", unsupported_media_type="Unsupported media type in request.")


def api_only(endpoints: list[Endpoint]) -> list[Endpoint]:
    """What of the site's addresses the schema describes."""
    return [one for one in endpoints if one[0].startswith("/api/")]


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI schema as YAML: the same text as docs/api/openapi.yaml."""
    return HttpResponse(schema_text(), content_type="application/yaml; charset=utf-8")


@cache
def schema_text() -> bytes:
    """Made once for each process, in English: a schema is a contract, which has one wording."""
    # By name: what makes the schema is loaded when somebody asks for it, not at every start.
    generator = import_string("drf_spectacular.generators.SchemaGenerator")()
    renderer = import_string("drf_spectacular.renderers.OpenApiYamlRenderer")()
    with override("en"):
        return bytes(renderer.render(generator.get_schema(public=True)))


class NothingSerializer(StrictSerializer):
    """An empty body, or `{}`."""
