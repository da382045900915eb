"""The one place where any error of one event is turned into a value, so that it costs only that event."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def guarded(function: Callable[[], T]) -> T | Exception:
    """What the function returns, or what it raised. Not for database work: a failed statement spoils the rest."""
    try:
        return function()
    except Exception as error:  # noqa: BLE001 - one bad event must cost only itself
        return error
