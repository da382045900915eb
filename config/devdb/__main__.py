"""`python -m config.devdb url|start|stop|drop|exec`: the development database from a terminal."""

import argparse
import sys

from config.devdb import DatabaseUnavailable
from config.devdb.programs import drop, execute, lasting_server


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
            command = options.command[1:] if options.command[:1] == ["--"] else options.command
            return execute(command, ephemeral=options.ephemeral)
    return 0


if __name__ == "__main__":
    sys.exit(main())
