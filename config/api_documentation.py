"""What the OpenAPI schema says of every app's addresses beside what their code says. In English, as code is."""

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from config.api import Error

RETRY_AFTER = OpenApiParameter(
    "Retry-After", int, OpenApiParameter.HEADER, response=[429, 503], description="After how many seconds to try again."
)


def refusal(description: str, **codes: str) -> OpenApiResponse:
    """An error with the words that its `code` can be, and an example of each."""
    examples = [
        OpenApiExample(code, value={"error": {"code": code, "message": message, "request_id": "8f14e45fceea167a"}})
        for code, message in codes.items()
    ]
    return OpenApiResponse(Error, description=description, examples=examples)


INVALID = OpenApiResponse(
    Error,
    description="The body is no JSON object, or fields are missing, wrong or not known: `fields` says which.",
    examples=[
        OpenApiExample(
            "invalid",
            value={
                "error": {
                    "code": "invalid",
                    "message": "Some fields are missing or wrong.",
                    "fields": {"email": ["Enter a valid email address."]},
                    "request_id": "8f14e45fceea167a",
                }
            },
        )
    ],
)
MISSING = refusal("There is nothing at this address.", not_found="There is nothing at this address.")
TOO_LARGE = refusal("The body has more than 16 KiB.", body_too_large="The body is too long.")
NOT_JSON = refusal("The body is not sent as JSON.", unsupported_media_type="Unsupported media type in request.")
