"""What `python -m config.devdb` does: a lasting server, a throw-away one, a command that runs beside one."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from types import FrameType

from config.devdb.binaries import find_binaries
from config.devdb.owner import Owner, tied_to_parent
from config.devdb.places import Place, abandoned_places, lasting_place, temporary_place
from config.devdb.server import Server

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def lasting_server() -> Server:
    """The development server of this project, running or not."""
    place = lasting_place(Owner.current())
    return Server(place, *find_binaries(place), lasting=True)


def drop() -> None:
    """Stop the development server, whichever version made it, and delete its data."""
    _remove(lasting_place(Owner.current()))


@contextmanager
def running(*, ephemeral: bool) -> Iterator[str]:
    """The URL of a server that runs as long as the block; one that ran before goes on afterwards."""
    with _temporary_server() if ephemeral else nullcontext(lasting_server()) as server:
        try:
            server.start(tied=True)
            yield server.url
        finally:
            if server.process is not None:
                server.stop()


def execute(command: Sequence[str], *, ephemeral: bool) -> int:
    """Run the command with DATABASE_URL set, beside a server of ours unless it is set already."""
    if os.environ.get("DATABASE_URL"):
        os.execvp(command[0], list(command))
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _leave)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell ignored it for us
    with running(ephemeral=ephemeral) as url:
        try:
            return _run_to_the_end(command, os.environ | {"DATABASE_URL": url})
        finally:
            for sign in STOP_SIGNALS:  # what follows is not to be interrupted
                signal.signal(sign, signal.SIG_IGN)


def _run_to_the_end(command: Sequence[str], environment: dict[str, str]) -> int:
    # Held until we know the child: a signal in between would leave it to itself.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    child = subprocess.Popen(command, env=environment, preexec_fn=tied_to_parent(signal.SIGTERM))
    while True:
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            code = child.wait()
        except KeyboardInterrupt:
            if not _at_terminal():  # at a terminal, Ctrl-C reached the child as well
                child.send_signal(signal.SIGINT)
        except SystemExit:
            child.terminate()
            child.wait()
            raise
        else:
            return code if code >= 0 else 128 - code


def _at_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()


def _leave(sign: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + sign)


@contextmanager
def _temporary_server() -> Iterator[Server]:
    owner = Owner.current()
    for left_behind in abandoned_places(owner):
        _remove(left_behind)
    with temporary_place(owner) as place:
        yield Server(place, *find_binaries(place), lasting=False)


def _remove(place: Place) -> None:
    for data in place.home.glob("data-*[0-9]"):
        Server(place, place.home, int(data.name.removeprefix("data-")), lasting=False).stop()
    shutil.rmtree(place.home, ignore_errors=True)
    shutil.rmtree(place.socket, ignore_errors=True)
