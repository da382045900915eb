"""Which files of the product a piece of work runs through: what somebody opens who follows it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).parents[2]
PRODUCT = ("accounts", "config", "modules_access", "payments", "registrations")


class Trip:
    """The files whose functions ran, in the order in which each was entered first."""

    def __init__(self) -> None:
        self.files: dict[str, None] = {}

    def note(self, frame: FrameType, event: str, _argument: object) -> None:
        """For sys.setprofile. What runs once, when a module is imported or a class is made, is no part of the way."""
        code = frame.f_code
        if event != "call" or not code.co_flags & CO_OPTIMIZED or code.co_name.startswith("<"):
            return
        path = Path(code.co_filename)
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in PRODUCT:
            self.files.setdefault(str(path.relative_to(ROOT)))


@contextmanager
def followed() -> Iterator[Trip]:
    """What runs inside, in this thread."""
    trip, before = Trip(), sys.getprofile()
    sys.setprofile(trip.note)
    try:
        yield trip
    finally:
        sys.setprofile(before)
