"""What an action does with the rows that were chosen: one service call each, and an honest count afterwards."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import structlog
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

log = structlog.get_logger(__name__)
MOST_REASONS = 5
T = TypeVar("T")


def apply_to_each(request: HttpRequest, rows: Iterable[T], service: Callable[[T], Any], *, done: str) -> int:
    """Call the service for each row; tell how many were done and why others were refused. Returns the former."""
    succeeded, refused = 0, Counter[str]()
    for row in rows:
        try:
            with transaction.atomic():
                service(row)
        except ValueError as refusal:
            log.info("action.refused", row=str(row), reason=str(refusal))
            refused[str(refusal)] += 1
        except Exception as error:
            # Our own mistake: the other rows must not suffer from it, and somebody must see it.
            log.exception("action.failed", row=str(row))
            refused[str(error) or type(error).__name__] += 1
        else:
            succeeded += 1
    _tell(request, succeeded, refused, done=done)
    return succeeded


def _tell(request: HttpRequest, succeeded: int, refused: Counter[str], *, done: str) -> None:
    if succeeded:
        messages.success(request, f"{succeeded} {done}")
    for reason, count in refused.most_common(MOST_REASONS):
        refusal = ngettext("%(count)d refused: %(reason)s", "%(count)d refused: %(reason)s", count)
        messages.warning(request, refusal % {"count": count, "reason": reason})
    if len(refused) > MOST_REASONS:
        messages.warning(request, _("More were refused for other reasons: the log has them all."))
