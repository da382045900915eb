"""One PostgreSQL server: made when missing, started, reused when it runs already, stopped; lasting or thrown away."""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from config.devdb.machine import (
    DatabaseUnavailable,
    Owner,
    Place,
    abandoned_places,
    find_binaries,
    lasting_place,
    temporary_place,
)
from config.env import ROOT

DATABASE, SUPERUSER = "app", "postgres"
START_SECONDS = 60  # after a crash the log is replayed first
# No TCP: only who may enter the socket's directory can connect. Shared memory in files, because a container's
# /dev/shm is too small for parallel queries.
ALWAYS = ("listen_addresses=", "max_connections=200", "jit=off", "dynamic_shared_memory_type=mmap")
THROW_AWAY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass
class Server:
    """A server in its place. `lasting` data survives a crash; a throw-away server is fast instead."""

    place: Place
    binaries: Path
    major: int
    lasting: bool
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def data(self) -> Path:
        """Named after the version: another PostgreSQL starts afresh, and back again finds it all."""
        return self.place.home / f"data-{self.major}"

    @property
    def log(self) -> Path:
        return self.place.home / "postgres.log"

    @property
    def url(self) -> str:
        """In the form that django-environ reads: it does not decode %2F in a host."""
        return f"postgres://{SUPERUSER}@/{DATABASE}?host={self._socket()}"

    def start(self, *, tied: bool) -> None:
        """Start unless it runs already (`process` stays None then). Tied, it ends with this process."""
        with self._alone():
            if self._answers():
                return
            self._wait_until_gone(seconds=10)  # one that is stopping
            self._forget_crash()
            if not self.data.exists():
                self._make_cluster()
            self._launch(tied=tied)
            self._make_database()

    def stop(self) -> None:
        """Stop in order, then by force. Nothing happens if it does not run."""
        for sign, seconds in ((signal.SIGINT, 2.0), (signal.SIGQUIT, 1.0), (signal.SIGKILL, 1.0)):
            if not self.lasting and sign == signal.SIGINT:
                continue
            if (pid := self.pid()) is None:
                break
            os.kill(pid, sign)
            self._wait_until_gone(seconds=seconds)
        if self.process is not None:
            self.process.wait()

    def pid(self) -> int | None:
        """The process that serves this data now; a number left in the file by a crash does not count."""
        lines = self._pid_file()
        pid = int(lines[0]) if lines and lines[0].isdigit() else None
        return pid if pid and _serves(pid, self.data) else None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.place.home / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _forget_crash(self) -> None:
        """A killed server leaves its number behind; while somebody else bears it, PostgreSQL refuses to start."""
        for left_behind in (self.data / "postmaster.pid", *self.place.socket.glob(".s.PGSQL.*")):
            left_behind.unlink(missing_ok=True)

    def _make_cluster(self) -> None:
        """Under another name until it is whole, so that an interrupted one is simply made again."""
        unfinished = self.data.with_name(f"{self.data.name}.unfinished")
        options = ["--auth=trust", f"--username={SUPERUSER}", "--encoding=UTF8", "--no-instructions"]
        if not self.lasting:
            options.append("--no-sync")
        answer = None
        for locale in _locales(self.major):
            shutil.rmtree(unfinished, ignore_errors=True)
            self.place.owner.take(unfinished)
            answer = self.place.owner.run(self.binaries / "initdb", "-D", unfinished, *options, *locale)
            if answer.returncode == 0:
                unfinished.rename(self.data)
                return
        raise DatabaseUnavailable(f"initdb failed: {answer.stderr.strip() if answer else ''}")

    def _launch(self, *, tied: bool) -> None:
        values = (*ALWAYS, *(() if self.lasting else THROW_AWAY))
        options = [part for value in values for part in ("-c", value)]
        command = [self.binaries / "postgres", "-D", self.data, "-k", self.place.socket, *options]
        sign = signal.SIGINT if self.lasting else signal.SIGQUIT
        self.process = self.place.owner.start(command, log=self.log, tied=sign if tied else None)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                last_words = self.log.read_text(errors="replace").splitlines()[-8:]
                raise DatabaseUnavailable("PostgreSQL did not start:\n  " + "\n  ".join(last_words))
            time.sleep(0.02)

    def _make_database(self) -> None:
        with self._connect() as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self._socket()), user=SUPERUSER, dbname="postgres", autocommit=True, connect_timeout=5
        )

    def _answers(self) -> bool:
        if self.pid() is None:
            return False
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _wait_until_gone(self, *, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.pid() is not None and time.monotonic() < deadline:
            if self.process is not None:
                self.process.poll()
            time.sleep(0.02)

    def _socket(self) -> Path:
        """Where it listens: a running server may have been started under another TMPDIR."""
        lines = self._pid_file() if self.pid() else []
        return Path(lines[4]) if len(lines) > 4 and lines[4] else self.place.socket

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []


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


def _locales(major: int) -> Iterator[list[str]]:
    """Upper and lower case of every alphabet, the same on every machine where PostgreSQL brings it along."""
    if major >= 17:
        yield ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    yield ["--locale=C.UTF-8"]
    yield ["--locale=C"]


def _serves(pid: int, data: Path) -> bool:
    """Whether the process is the server of this data: after a crash the number may be anybody's."""
    try:
        return os.fsencode(data) in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        if Path("/proc/self").exists():
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def renew_outdated(url: str, *, project: Path = ROOT) -> bool:
    """Replace the database by an empty one if it was made by migrations that the project does not have any more.

    `url`: of our own server, never of one that somebody named. Returns whether it was replaced.
    """
    with psycopg.connect(url, autocommit=True) as inside:
        if not _has_lost_migrations(inside, project):
            return False
    with psycopg.connect(url, dbname="postgres", autocommit=True) as beside:
        for command in ("DROP DATABASE {} WITH (FORCE)", "CREATE DATABASE {}"):
            beside.execute(sql.SQL(command).format(sql.Identifier(DATABASE)))
    return True


def _has_lost_migrations(inside: psycopg.Connection, project: Path) -> bool:
    """Only of the project's own apps: who else's are installed is not our business."""
    if inside.execute("SELECT to_regclass('django_migrations')").fetchone() == (None,):
        return False
    applied = inside.execute("SELECT app, name FROM django_migrations").fetchall()
    ours = [(project / app / "migrations", name) for app, name in applied]
    return any(folder.is_dir() and not (folder / f"{name}.py").exists() for folder, name in ours)
