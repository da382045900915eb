"""Acts of staff whose services own their transactions and may ask Stripe: nothing is wrapped around them."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import structlog
from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import ngettext

log = structlog.get_logger(__name__)
T = TypeVar("T")


def act_on_each(request: HttpRequest, rows: Iterable[T], service: Callable[[T], Any]) -> int:
    """Call the service for each row; tell which were refused (ValueError) and why. Returns how many were done."""
    succeeded, refused = 0, Counter[str]()
    for row in rows:
        try:
            service(row)
        except ValueError as refusal:
            log.info("action.refused", row=str(row), reason=str(refusal))
            refused[str(refusal)] += 1
        else:
            succeeded += 1
    for reason, count in refused.most_common():
        refusal_text = ngettext("%(count)d refused: %(reason)s", "%(count)d refused: %(reason)s", count)
        messages.warning(request, refusal_text % {"count": count, "reason": reason})
    return succeeded
