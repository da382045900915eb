"""What the product takes before it has much to do: memory of each process, and the time to start a command."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.load import deliveries, send
from benchmarks.measure import Figures, Size, megabytes
from benchmarks.sites import ONE_BY_ONE, PRODUCTION, SECRET, ours
from benchmarks.world import clear
from tests.support.processes import ROOT, Process, for_test_database, running, running_worker, wait_until

WEB, WORKER, BEAT, CHECK = "web process", "worker", "beat", "manage.py check"
DELIVERIES = 500
SETTLE_SECONDS = 3.0


def memory(_size: Size) -> dict[str, Callable[[], Figures]]:
    """Everything that runs in production, after a while of work."""
    return {WEB: partial(measure_memory, WEB), WORKER: partial(measure_memory, WORKER), BEAT: measure_beat}


def start(_size: Size) -> dict[str, Callable[[], Figures]]:
    """The command that every deployment runs first."""
    return {CHECK: measure_check}


def measure_memory(which: str) -> Figures:
    """Of the web processes or of the worker, once both have taken in and processed some deliveries."""
    clear()
    with (
        tempfile.TemporaryDirectory() as place,
        ours(Path(place), ONE_BY_ONE) as site,
        running_worker(Path(place), **PRODUCTION) as worker,
    ):
        send(site.port, deliveries(DELIVERIES, path=site.path, secret=SECRET))
        time.sleep(SETTLE_SECONDS)
        return {"megabytes": megabytes(*(site.web_workers if which == WEB else [worker.popen.pid]))}


def measure_beat() -> Figures:
    """Of the timetable's process."""
    with tempfile.TemporaryDirectory() as place, running_beat(Path(place)) as beat:
        time.sleep(SETTLE_SECONDS)
        return {"megabytes": megabytes(beat.popen.pid)}


@contextmanager
def running_beat(place: Path) -> Iterator[Process]:
    """From when it has written its timetable down."""
    command = (sys.executable, "-m", "celery", "-A", "config", "beat", "--pidfile=")
    told = {**PRODUCTION, "VAR_DIR": str(place), "CELERY_BROKER_URL": "", "REDIS_URL": ""}
    with running(*command, log=place / "celery.log", environment=told) as beat:
        wait_until(lambda: list(place.glob("beat*")), or_show=lambda: beat.output)
        yield beat


def measure_check() -> Figures:
    """Seconds of a wall clock, from the start of Python to its end."""
    told = {**for_test_database(), **PRODUCTION}
    began = time.perf_counter()
    subprocess.run([sys.executable, "manage.py", "check"], cwd=ROOT, env=told, check=True, capture_output=True)
    return {"seconds": time.perf_counter() - began}
