"""Why a delivery is not taken: each refusal has the status that Stripe sees and a code to search for.

The sentences are not translated: Stripe's Dashboard shows them, and the runbook quotes them.
"""

from rest_framework import status
from rest_framework.exceptions import APIException

# Stripe comes back by itself, hours later; this is for proxies and people.
RETRY_SECONDS = 30


class Refusal(APIException):
    """A delivery that is wrong and stays wrong: 400."""

    status_code: int = status.HTTP_400_BAD_REQUEST

    def __init__(self, code: str, message: str) -> None:
        super().__init__(detail=message, code=code)


class BodyTooLarge(Refusal):
    """No Stripe event is that long."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE

    def __init__(self, limit: int) -> None:
        super().__init__("body_too_large", f"The body is longer than {limit} bytes.")


class LengthRequired(Refusal):
    """The web server can't tell us where a body without a length ends."""

    status_code = status.HTTP_411_LENGTH_REQUIRED

    def __init__(self) -> None:
        super().__init__("length_required", "Send the body with a Content-Length.")


class NotReady(Refusal):
    """The delivery may be right, we are not: 503, so that Stripe brings it again."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    wait = RETRY_SECONDS
