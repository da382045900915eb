"""The account that runs PostgreSQL, and processes that end with the one who started them."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.devdb import DatabaseUnavailable

PR_SET_PDEATHSIG = 1


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
