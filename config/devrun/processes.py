"""The processes of the installation: started, their output passed on, stopped together."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

from config.devdb.owner import tied_to_parent
from config.devrun import CannotRun
from config.devrun.terminal import coloured, say

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
