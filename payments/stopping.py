"""How long work may be asked to stop between two pieces of it: a flag that is looked at, never waited for."""

from collections.abc import Callable

ShouldStop = Callable[[], bool]


def never() -> bool:
    """The stop flag of who is never asked to stop."""
    return False
