"""One run at a time: who holds the lock, at which address, and what a killed run left behind."""

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from config.devenv import VAR
from config.devrun import CannotRun

LOCK = VAR / "run.lock"


class OnlyRun:
    """The lock's file, held by the one that runs; it names the address and the children for the next one."""

    def __init__(self, file: TextIO, url: str) -> None:
        self._file, self._url = file, url

    def remember(self, children: list[int]) -> None:
        """Write down what runs, as process and birth: a number alone may belong to somebody else later."""
        self._file.seek(0)
        self._file.truncate()
        json.dump(
            {"url": self._url, "pid": os.getpid(), "children": [[pid, _born(pid)] for pid in children]},
            self._file,
        )
        self._file.flush()


@contextmanager
def only_run(url: str) -> Iterator[OnlyRun]:
    """Hold the lock: the system frees it when we die, however that happens. What a dead run left is ended."""
    VAR.mkdir(parents=True, exist_ok=True)
    with LOCK.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRun(f"It is already running at {_noted(file).get('url', 'an unknown address')}.") from None
        for pid, born in _noted(file).get("children", []):
            if _born(pid) == born:
                _end_group(pid)
        run = OnlyRun(file, url)
        run.remember([])
        yield run


def _noted(file: TextIO) -> dict[str, Any]:
    file.seek(0)
    try:
        return json.load(file)
    except ValueError:
        return {}


def _born(pid: int) -> str:
    """When the process started, in whatever form the system tells it; "" if there is none."""
    status = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        return status.read_text().rpartition(")")[2].split()[19] if status.exists() else ""
    return subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()


def _end_group(leader: int, *, seconds: float = 7) -> None:
    """The children of a killed run were told to stop when it died; give them the time, then end them."""
    with suppress(ProcessLookupError):
        os.kill(leader, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            os.killpg(leader, 0)
            time.sleep(0.05)
        os.killpg(leader, signal.SIGKILL)
