"""What the web server runs."""

import os
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]

from config.command_line import sentence_instead_of_traceback
from config.startup import WEB_EXIT_CODE, require_fit, settle

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class ServerInput:
    """The body of a request as the server reads it, with errors that Django knows: WSGI names none.

    What gunicorn raises for a broken chunk is no OSError, and would be a 500 that any stranger can cause.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, *size: int) -> bytes:
        return self._told(self._stream.read, *size)

    def readline(self, *size: int) -> bytes:
        return self._told(self._stream.readline, *size)

    def _told(self, read: Callable[..., bytes], *size: int) -> bytes:
        try:
            return read(*size)
        except ParseException as error:
            raise OSError(str(error)) from error


def with_readable_input(application: Application) -> Application:
    """The application, which sees a body that breaks off as an OSError."""

    def readable(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["wsgi.input"] = ServerInput(environ["wsgi.input"])
        return application(environ, start_response)

    return readable


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
with sentence_instead_of_traceback(code=WEB_EXIT_CODE):
    application = with_readable_input(get_wsgi_application())
require_fit(code=WEB_EXIT_CODE)
# Every view is loaded now: the first request does not wait for it, and forked workers share it.
import_module(settings.ROOT_URLCONF)
import_string("payments.webhook.views.announce")()
import_string("payments.ledger.refusals.write_in_background")()
# Before any fork.
settle()
