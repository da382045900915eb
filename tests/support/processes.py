"""Real processes against the test database: started with their output in a file, and ended in any case."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
DEAD_REDIS = "redis://127.0.0.1:1"
PROCESS_TIMEOUT = 60.0  # seconds: a loaded machine is slow, but not wrong
# The environment of a worker that no sweep wakes up.
BELL_ONLY = {"DJANGO_SETTINGS_MODULE": "tests.support.settings_bell_only"}


def _own_ports() -> Iterator[int]:
    """Below those that outgoing connections take, and none of them another process of this test run's."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    run = int(os.environ.get("PYTEST_XDIST_TESTRUNUID", f"{os.getpid():x}")[:8], 16)
    return iter(range(20_000 + run % 8_000 + worker, 32_000, workers))


_ports = _own_ports()


class Process:
    """A running command. `output` is what it has said so far, on both channels."""

    def __init__(self, popen: subprocess.Popen[bytes], log: Path) -> None:
        self.popen, self.log = popen, log

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def is_running(self) -> bool:
        return self.popen.poll() is None

    def wait_for(self, text: str, *, seconds: float = PROCESS_TIMEOUT) -> None:
        """Wait until the output contains the text; fails with the whole output otherwise."""
        wait_until(lambda: text in self.output or not self.is_running, seconds=seconds, or_show=lambda: self.output)
        assert text in self.output, self.output

    def stop(self, sign: int = signal.SIGTERM) -> None:
        """Ask it to end as an operator does; fails if it does not end."""
        self.popen.send_signal(sign)
        self.popen.wait(PROCESS_TIMEOUT)

    def kill(self) -> None:
        """SIGKILL to it and its children, as a machine that loses power."""
        os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait(PROCESS_TIMEOUT)


@contextmanager
def running(*command: str, log: Path, environment: Mapping[str, str] | None = None) -> Iterator[Process]:
    """The command, started in the project's directory in a process group of its own; killed at the end if need be."""
    with log.open("ab") as output:
        popen = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **for_test_database(), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process = Process(popen, log)
    try:
        yield process
    finally:
        if process.is_running:
            process.kill()


@contextmanager
def running_worker(
    directory: Path, *, broker: str = "", pool: str = "threads", concurrency: int = 2, **environment: str
) -> Iterator[Process]:
    """A Celery worker, from when it listens on. Without a broker's address: the embedded one, in `directory`."""
    celery = (sys.executable, "-m", "celery", "-A", "config", "worker")
    command = (*celery, "--pool", pool, "--concurrency", str(concurrency))
    told = {"CELERY_BROKER_URL": broker, "REDIS_URL": "", "VAR_DIR": str(directory), "LOG_LEVEL": "INFO"}
    with running(*command, log=directory / "worker.log", environment={**told, **environment}) as worker:
        worker.wait_for("drain.listening")
        yield worker


@contextmanager
def running_command(directory: Path, *arguments: str, **environment: str) -> Iterator[Process]:
    """A `manage.py` command."""
    told = {"VAR_DIR": str(directory), "LOG_LEVEL": "INFO", "PYTHONUNBUFFERED": "1", **environment}
    command = (sys.executable, "manage.py", *arguments)
    with running(*command, log=directory / "command.log", environment=told) as process:
        yield process


@contextmanager
def running_redis(directory: Path, *, port: int) -> Iterator[Process]:
    """A Redis server that keeps nothing on disk."""
    command = ("redis-server", "--port", str(port), "--save", "", "--dir", str(directory))
    with running(*command, log=directory / "redis.log") as redis:
        redis.wait_for("Ready to accept connections")
        yield redis


has_redis = shutil.which("redis-server") is not None


def for_test_database() -> dict[str, str]:
    """The environment in which a command uses the database of this test run."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    return {"DJANGO_SETTINGS_MODULE": "config.settings_test", "DATABASE_URL": url.geturl()}


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    for port in _ports:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("no free port")


def wait_until(
    condition: Callable[[], object], *, seconds: float = PROCESS_TIMEOUT, or_show: Callable[[], object] = lambda: ""
) -> float:
    """Wait until the condition holds. Returns how long that took; fails with what `or_show` says."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"waited {seconds} s in vain. {or_show()}"
        time.sleep(0.002)
    return time.monotonic() - began
