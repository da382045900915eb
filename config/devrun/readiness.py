"""Says once when the site can be used, below all that the processes say while they start."""

import http.client
import time
from collections.abc import Callable
from contextlib import suppress

from config.devrun.environment import Address
from config.devrun.processes import Processes

QUIET_SECONDS, LONGEST_WAIT = 1.0, 5.0


class Readiness:
    """Called again and again; calls `tell` when the site answers and the processes have become quiet."""

    def __init__(self, address: Address, processes: Processes, tell: Callable[[], None]) -> None:
        self._address, self._processes, self._tell = address, processes, tell
        self._answered_at: float | None = None
        self._told = False

    def __call__(self) -> None:
        if self._told:
            return
        if self._answered_at is None:
            self._answered_at = time.monotonic() if _answers(self._address) else None
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
            return connection.getresponse().status == http.client.OK
    finally:
        connection.close()
    return False
