"""`python -m config.devrun`: from nothing to a running installation, and back to nothing on Ctrl-C."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType

from config.devdb.machine import DatabaseUnavailable, Owner, lasting_place
from config.devdb.server import renew_outdated, running
from config.devrun.environment import Address, CannotRun, emulator_beside, settle, stripe_environment
from config.devrun.processes import Processes, coloured, only_run, say
from config.env import ROOT, VAR, flag, text

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# All that has to be done first, in one process: Django starts once for it.
PREPARATION = [sys.executable, "-m", "config.devrun.preparation"]
EMULATOR = [
    *("-m", "gunicorn", "-c", "python:stripe_emulator.serving", "stripe_emulator.wsgi", "--no-control-socket"),
    *("--env", "DJANGO_SETTINGS_MODULE=config.settings_emulator"),
]
# What one of them says while it starts stands above the last words; nobody waits longer than that for silence.
QUIET_SECONDS, LONGEST_WAIT = 0.2, 2.0
LINE = "─" * 78


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
            staff = prepare()
            say("Starting …")
            with started(commands(address, emulator)) as processes:
                alone.remember(processes.pids)
                stripe_url = os.environ["STRIPE_EMULATOR_URL"] if emulator else ""
                tell = partial(show_ready, address.url, emulator=stripe_url, staff=staff, began=began)
                processes.watch(Readiness(servers, processes, tell))


@contextmanager
def database() -> Iterator[str]:
    """The one that the user named, else ours."""
    if named := os.environ.get("DATABASE_URL"):
        yield named
        return
    home = lasting_place(Owner.current()).home
    if not any(home.glob("data-*[0-9]")):
        say(f"  a new PostgreSQL server in {os.path.relpath(home, ROOT)} …")
    with running(ephemeral=False) as url:
        if renew_outdated(url):
            say("  The database was made by an older version of the project: it is made anew.")
        yield url


def prepare() -> str:
    """Take every step of the preparation. Returns what was said about the staff account."""
    # Its log lines would only tell of demo data.
    environment = os.environ | {"LOG_LEVEL": os.environ.get("LOG_LEVEL") or "WARNING"}
    done = subprocess.run(PREPARATION, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode != 0:
        raise CannotRun("The last step failed: nothing was started.")
    return done.stdout.strip()


def commands(address: Address, emulator: Address | None) -> dict[str, list[str]]:
    """What an installation consists of."""
    # Root is usual in a development container: Celery's long warning would only bury what matters.
    python = [sys.executable, "-W", "ignore:You're running the worker with superuser privileges"]
    celery = [*python, "-m", "celery", "--quiet", "-A", "config"]
    is_verbose = flag("VERBOSE", default=text("LOG_LEVEL").upper() == "DEBUG")
    level = ["--log-level", "info" if is_verbose else "warning"]
    web = ["-c", "python:config.serving", "--workers", "2"]
    stand_in = {"stripe": [*python, *EMULATOR, *level, "--bind", emulator.bind]} if emulator else {}
    return stand_in | {
        "web": [*python, "-m", "gunicorn", "config.wsgi", *level, "--bind", address.bind, *web],
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
    # The preparation has run the system checks already.
    os.environ.update(WORKER_READY_FILE=str(worker_ready_file()), CELERY_SKIP_CHECKS="1")
    worker_ready_file().unlink(missing_ok=True)
    processes = Processes(what)
    try:
        yield processes
    finally:
        for sign in STOP_SIGNALS:
            signal.signal(sign, signal.SIG_IGN)
        say("\nStopping …")
        processes.stop()


def worker_ready_file() -> Path:
    """The worker makes it when it takes its first task (config/celery.py)."""
    return VAR / "worker.ready"


class Readiness:
    """Called again and again; calls `tell` once, when every server answers, the worker runs and all are quiet."""

    def __init__(self, addresses: Sequence[Address], processes: Processes, tell: Callable[[], None]) -> None:
        self._silent, self._processes, self._tell = list(addresses), processes, tell
        self._all_run_since: float | None = None
        self._told = False

    def __call__(self) -> None:
        if self._told:
            return
        if self._all_run_since is None:
            # Who has answered is left in peace: each question is a line in the log.
            self._silent = [address for address in self._silent if not _answers(address)]
            self._all_run_since = time.monotonic() if not self._silent and worker_ready_file().exists() else None
        elif self._processes.quiet_for() > QUIET_SECONDS or time.monotonic() - self._all_run_since > LONGEST_WAIT:
            self._told = True
            self._tell()


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


def show_ready(url: str, *, emulator: str, staff: str, began: float) -> None:
    """Where to look and what to try. `emulator`: the address of what stands in for Stripe; "" with a real test key."""
    manage = f"{_python()} manage.py"
    rows = {
        "Site": [f"{url}/"],
        "Admin": [f"{url}/admin/", *staff.splitlines()],
        "Stripe": [f"{emulator}/  (emulator)"] if emulator else _real_stripe(url),
        "Mails": [os.path.relpath(VAR / "mails", ROOT)],
        "Try": [f"{manage} open_checkout", f"{manage} send_event checkout.session.completed"],
        "Stop": ["Ctrl-C"],
    }
    headline = coloured(f"  Ready after {time.monotonic() - began:.0f} s", "ready")
    body = "\n".join(f"  {name:<10}" + f"\n{'':12}".join(lines) for name, lines in rows.items())
    say(f"\n{LINE}\n{headline}\n\n{body}\n{LINE}\n")


def _real_stripe(url: str) -> list[str]:
    """Stripe cannot reach this machine by itself."""
    return ["test mode, by your key", f"events:  stripe listen --all-snapshot --forward-to {url}/stripe/webhooks"]


def _python() -> str:
    return os.path.relpath(sys.executable, ROOT) if sys.executable.startswith(str(ROOT)) else sys.executable


def _leave(_sign: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
