"""How the JSON API reads a body. Alone here, because the REST framework reads its settings while it is loaded."""

from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser

LARGEST_BODY = 16 * 1024


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
