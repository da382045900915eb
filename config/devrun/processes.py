"""The processes of the installation: one set at a time, started, their output passed on, stopped together."""

import fcntl
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO, cast

from config.devdb.machine import tied_to_parent
from config.devrun.environment import CannotRun
from config.env import VAR

COLOURS = {"web": 36, "worker": 35, "beat": 33, "stripe": 34, "ready": 32, "trouble": 31}
LOCK = VAR / "run.lock"
GRACE_SECONDS = 7.0  # Celery looks every two seconds, three times in a row


@dataclass
class Process:
    """One of them, in a process group of its own: Ctrl-C reaches us, and we stop it in order."""

    name: str
    child: subprocess.Popen[bytes]
    unfinished_line: bytes = field(default=b"")

    @classmethod
    def start(cls, name: str, command: Sequence[str]) -> "Process":
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            process_group=0,
            preexec_fn=tied_to_parent(signal.SIGTERM),
        )
        return cls(name, child)

    def pass_on(self) -> bool:
        """Print what it said, whole lines under its name. False once it has closed its output."""
        said = os.read(self.child.stdout.fileno(), 65536) if self.child.stdout else b""
        *lines, self.unfinished_line = (self.unfinished_line + said).split(b"\n")
        if not said and self.unfinished_line:
            lines.append(self.unfinished_line)
        for line in lines:
            say(f"{coloured(f'{self.name:>6} │', self.name)} {line.decode(errors='replace')}")
        return bool(said)

    def signal_group(self, sign: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.child.pid, sign)


class Processes:
    """All of them."""

    def __init__(self, commands: Mapping[str, Sequence[str]]) -> None:
        self._outputs = selectors.DefaultSelector()
        self._heard_at = time.monotonic()
        self._processes: list[Process] = []
        for name, command in commands.items():
            process = Process.start(name, command)
            self._processes.append(process)
            if process.child.stdout:
                self._outputs.register(process.child.stdout, selectors.EVENT_READ, process)

    @property
    def pids(self) -> list[int]:
        return [process.child.pid for process in self._processes]

    def quiet_for(self) -> float:
        """Seconds since one of them said something."""
        return time.monotonic() - self._heard_at

    def watch(self, on_tick: Callable[[], None]) -> None:
        """Pass on what they say until one of them ends, which none should."""
        while True:
            self._pass_on(seconds=0.2)
            for process in self._processes:
                if (code := process.child.poll()) is not None:
                    raise CannotRun(f"{process.name} ended by itself with code {code}: everything is stopped.")
            on_tick()

    def stop(self) -> None:
        """Ask all of them to finish; end by force what has not, and what they have left behind."""
        for process in self._processes:
            process.child.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        while self._running() and time.monotonic() < deadline:
            self._pass_on(seconds=0.05)
        for process in self._processes:
            process.signal_group(signal.SIGKILL)
            process.child.wait()
        while self._outputs.get_map():
            self._pass_on(seconds=0)
        self._outputs.close()

    def _running(self) -> bool:
        return any(process.child.poll() is None for process in self._processes)

    def _pass_on(self, *, seconds: float) -> None:
        for key, _ in self._outputs.select(seconds):
            process = cast(Process, key.data)
            self._heard_at = time.monotonic()
            if not process.pass_on():
                self._outputs.unregister(key.fileobj)


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


def say(text: str) -> None:
    """One or more lines, at once. A terminal that is gone must not keep us from stopping in order."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - as long as we live


def coloured(text: str, name: str) -> str:
    """In the colour of that name, where somebody looks at it."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\033[1;{COLOURS[name]}m{text}\033[0m"
