"""Says once when the site can be used, below all that the processes say while they start."""

import http.client
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from config.devrun.environment import Address
from config.devrun.processes import Processes

QUIET_SECONDS, LONGEST_WAIT = 1.0, 5.0


class Readiness:
    """Called again and again; calls `tell` when every server answers and the processes have become quiet."""

    def __init__(self, addresses: Sequence[Address], processes: Processes, tell: Callable[[], None]) -> None:
        self._silent, self._processes, self._tell = list(addresses), processes, tell
        self._answered_at: float | None = None
        self._told = False

    def __call__(self) -> None:
        if self._told:
            return
        if self._answered_at is None:
            # Who has answered is left in peace: each question is a line in the log.
            self._silent = [address for address in self._silent if not _answers(address)]
            self._answered_at = None if self._silent else time.monotonic()
        elif self._processes.quiet_for() > QUIET_SECONDS or self._waited() > LONGEST_WAIT:
            self._told = True
            self._tell()

    def _waited(self) -> float:
        return time.monotonic() - (self._answered_at or 0)


def _answers(address: Address) -> bool:
    connection = http.client.HTTPConnection(address.near, address.port, timeout=1)
    try:
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/healthz/live")
            # The emulator has no such page, and says so as soon as it can be used.
            return connection.getresponse().status in (http.client.OK, http.client.NOT_FOUND)
    finally:
        connection.close()
    return False
