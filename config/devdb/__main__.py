"""`python -m config.devdb url|start|stop|drop|exec`: a PostgreSQL server of our own where DATABASE_URL names none."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType

from config.devdb.machine import DatabaseUnavailable, tied_to_parent
from config.devdb.server import drop, lasting_server, running

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m config.devdb", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("url", help="print DATABASE_URL of the development server")
    actions.add_parser("start", help="start it, print DATABASE_URL")
    actions.add_parser("stop", help="stop it")
    actions.add_parser("drop", help="stop it and delete its data")
    run = actions.add_parser("exec", help="run a command with DATABASE_URL set, beside a server if need be")
    run.add_argument("--ephemeral", action="store_true", help="a server of its own, thrown away afterwards")
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    options = parser.parse_args()
    if options.action == "exec":
        options.command = options.command[1:] if options.command[:1] == ["--"] else options.command
        if not options.command:
            run.error("name the command to run, after --")
        if not shutil.which(options.command[0]):
            print(f"There is no program {options.command[0]!r}.", file=sys.stderr)
            return 127
    try:
        return _act(options)
    except KeyboardInterrupt:
        return 130
    except DatabaseUnavailable as refusal:
        print(refusal, file=sys.stderr)
        return 1


def _act(options: argparse.Namespace) -> int:
    match options.action:
        case "url":
            print(lasting_server().url)
        case "start":
            server = lasting_server()
            server.start(tied=False)
            print(server.url)
        case "stop":
            lasting_server().stop()
        case "drop":
            drop()
        case "exec":
            return execute(options.command, ephemeral=options.ephemeral)
    return 0


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


if __name__ == "__main__":
    sys.exit(main())
