"""Why the API makes, accepts or revokes no token: each refusal has a status and a word for programs."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext_lazy as _
from rest_framework import status

from config.api import Conflict
from modules_access.jwt import TokenRefused
from modules_access.models import Module
from modules_access.services.generate import NOT_GENERATED, NotGenerated
from modules_access.services.named import find_module

PASS = _("This is a pass, which is over within minutes: there is nothing to revoke.")
UNKNOWN = {"unknown_module", "unknown_user", "unknown_payment"}


class Refused(Conflict):
    """The token lets nobody in: 403."""

    status_code = status.HTTP_403_FORBIDDEN


class Unknown(Conflict):
    """The request names something that does not exist: 422."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY


class NotThere(Conflict):
    """What the request is about does not exist: 404."""

    status_code = status.HTTP_404_NOT_FOUND


class NotRevocable(Conflict):
    """A pass is no row: it is over within minutes."""

    def __init__(self) -> None:
        super().__init__("not_revocable", PASS)


@contextmanager
def told_to_programs() -> Iterator[None]:
    """What the services refuse in here becomes an answer of the API."""
    try:
        yield
    except TokenRefused as refusal:
        raise Refused(refusal.code, str(refusal)) from None
    except NotGenerated as refusal:
        kind = Unknown if refusal.code in UNKNOWN else Conflict
        raise kind(refusal.code, str(refusal)) from None


def get_module(name: str) -> Module:
    """The module that the request names. Raises Unknown."""
    module = find_module(name)
    if module is None:
        raise Unknown("unknown_module", NOT_GENERATED["unknown_module"])
    return module
