"""How work that goes on piece by piece is run: an error costs one piece, a wish to stop is looked for between two."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def guarded(function: Callable[[], T]) -> T | Exception:
    """What the function returns, or what it raised. Not for database work: a failed statement spoils the rest."""
    try:
        return function()
    except Exception as error:  # noqa: BLE001 - one bad event must cost only itself
        return error


ShouldStop = Callable[[], bool]


def never() -> bool:
    """The stop flag of who is never asked to stop."""
    return False
