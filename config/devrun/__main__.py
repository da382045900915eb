"""`python -m config.devrun`: from nothing to a running installation, and back to nothing on Ctrl-C."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from types import FrameType

from config.devdb import DatabaseUnavailable
from config.devdb.programs import running
from config.devenv import ROOT
from config.devrun import CannotRun
from config.devrun.alone import only_run
from config.devrun.environment import Address, settle
from config.devrun.preparation import prepare
from config.devrun.processes import Processes
from config.devrun.readiness import Readiness
from config.devrun.stripe import emulator_beside, stripe_environment
from config.devrun.terminal import coloured, say, show_ready

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
EMULATOR = [
    *("-m", "gunicorn", "-c", "python:stripe_emulator.serving", "stripe_emulator.wsgi", "--no-control-socket"),
    *("--env", "DJANGO_SETTINGS_MODULE=config.settings_emulator"),
]


def main() -> int:
    """Run until somebody stops it (0) or something goes wrong (1)."""
    os.chdir(ROOT)
    for sign in STOP_SIGNALS:
        signal.signal(sign, _leave)
    try:
        run()
    except (CannotRun, DatabaseUnavailable) as trouble:
        print(coloured(f"\n{trouble}", "trouble"), file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
    return 0


def run() -> None:
    """Everything in order; leaving a block stops what it started."""
    began = time.monotonic()
    address = Address.chosen()
    emulator = emulator_beside(address)
    servers = [address, emulator] if emulator else [address]
    with only_run(address.url) as alone:
        for server in servers:
            server.require_free()
        say("Preparing …")
        with database() as database_url:
            settle(address, database_url=database_url, stripe=stripe_environment(emulator))
            staff = prepare(is_emulated=bool(emulator))
            with started(commands(address, emulator)) as processes:
                alone.remember(processes.pids)
                stripe_url = os.environ["STRIPE_EMULATOR_URL"] if emulator else ""
                tell = partial(show_ready, address.url, emulator=stripe_url, staff=staff, began=began)
                processes.watch(Readiness(servers, processes, tell))


def database() -> AbstractContextManager[str]:
    """The one that the user named, else ours."""
    named = os.environ.get("DATABASE_URL")
    return nullcontext(named) if named else running(ephemeral=False)


def commands(address: Address, emulator: Address | None) -> dict[str, list[str]]:
    """What an installation consists of."""
    # Root is usual in a development container: Celery's long warning would only bury what matters.
    python = [sys.executable, "-W", "ignore:You're running the worker with superuser privileges"]
    celery = [*python, "-m", "celery", "--quiet", "-A", "config"]
    web = ["--worker-class", "gthread", "--workers", "2", "--threads", "4", "--no-control-socket"]
    stand_in = {"stripe": [*python, *EMULATOR, "--bind", emulator.bind]} if emulator else {}
    return stand_in | {
        "web": [*python, "-m", "gunicorn", "config.wsgi", "--bind", address.bind, *web],
        "worker": [
            *celery,
            "worker",
            "--loglevel=info",
            # Threads: no child inherits the connections of the loops beside the pool.
            "--pool=threads",
            "--concurrency=4",
            "--without-gossip",
            "--without-mingle",
        ],
        "beat": [*celery, "beat", "--pidfile="],
    }


@contextmanager
def started(what: dict[str, list[str]]) -> Iterator[Processes]:
    """Started, and stopped in any case; a second Ctrl-C cannot interrupt that, it is over within seconds."""
    processes = Processes(what)
    try:
        yield processes
    finally:
        for sign in STOP_SIGNALS:
            signal.signal(sign, signal.SIG_IGN)
        say("\nStopping …")
        processes.stop()


def _leave(_sign: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
