"""Where a server lives: data below `var`, its socket under a path short enough for one."""

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from config.devdb import DatabaseUnavailable
from config.devdb.owner import Owner
from config.devenv import VAR

# The name of a socket has room for 107 bytes: ours end in /devdb-socket-0123456789/.s.PGSQL.5432.lock.
LONGEST_ROOT = 60
TEMPORARY = "devdb-test-"


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
        if len(os.fsencode(root)) <= LONGEST_ROOT and os.access(root, os.W_OK) and owner.can_enter(root):
            return root.resolve()
    raise DatabaseUnavailable("No temporary directory with a short name is writable: set TMPDIR to one.")
