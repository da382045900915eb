import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.devdb.machine import Owner
from config.env import ROOT
from tests.config.processes import eventually

CONNECT = """
import os, psycopg
psycopg.connect(host=os.environ["DATABASE_URL"].split("host=")[1], user="postgres", dbname="app").close()
print("connected")
"""
only_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")


class DevDB:
    """`python -m config.devdb`, with temporary directory and data of its own, as a certain account."""

    def __init__(self, folder: Path, uid: int) -> None:
        self.temporary, self.uid = folder / "tmp", uid
        self.environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | {
            "TMPDIR": str(self.temporary),
            "VAR_DIR": str(folder / "var"),
        }

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "config.devdb", *arguments],
            cwd=ROOT,
            env=self.environment | environment,
            user=self.uid,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        with self.start(*arguments, **environment) as process:
            said, _ = process.communicate(timeout=60)
            return process.returncode, said

    def beside_a_server(self, *command: str) -> subprocess.Popen[str]:
        """A throw-away server that is up: its command has said its first line."""
        process = self.start("exec", "--ephemeral", "--", *command)
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        return process

    def left_behind(self) -> list[str]:
        return os.listdir(self.temporary)

    def servers(self) -> list[int]:
        """The servers that live below our directories."""
        mine = os.fsencode(self.temporary.parent)
        return [int(entry.name) for entry in Path("/proc").iterdir() if _is_server(entry, mine)]


def _is_server(process: Path, mine: bytes) -> bool:
    try:
        called = (process / "cmdline").read_bytes()
    except OSError:
        return False
    return b"postgres\0-D\0" in called and mine in called


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short enough for a socket, which pytest's own is not everywhere."""
    folder = Path(tempfile.mkdtemp(prefix="t-", dir="/tmp"))
    (folder / "tmp").mkdir()
    for path in (folder, folder / "tmp"):
        path.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def devdb(folder) -> DevDB:
    return DevDB(folder, os.geteuid())


@pytest.fixture
def lasting(devdb) -> Iterator[DevDB]:
    yield devdb
    devdb.run("drop")


@pytest.fixture
def as_nobody(folder) -> DevDB:
    nobody = Owner.current()
    if nobody.uid == os.geteuid() or not can_run(nobody):
        pytest.skip("needs root, and a project and a Python that others can read")
    return DevDB(folder, nobody.uid)


def can_run(owner: Owner) -> bool:
    try:
        return owner.can_enter(ROOT) and owner.run(sys.executable, "-c", "import psycopg").returncode == 0
    except PermissionError:
        return False


class TestExec:
    def test_runs_the_command_beside_a_server_and_leaves_nothing(self, devdb):
        code, said = devdb.run("exec", "--ephemeral", "--", sys.executable, "-c", CONNECT)

        assert (code, said) == (0, "connected\n")
        assert devdb.left_behind() == []

    def test_works_for_an_account_without_rights(self, as_nobody):
        code, said = as_nobody.run("exec", "--ephemeral", "--", sys.executable, "-c", CONNECT)

        assert (code, said) == (0, "connected\n")
        assert as_nobody.left_behind() == []

    def test_works_with_the_binaries_of_the_wheel(self, devdb):
        code, said = devdb.run(
            *("exec", "--ephemeral", "--", sys.executable, "-c", CONNECT),
            DEVDB_BINARIES="wheel",
        )

        assert (code, said) == (0, "connected\n")

    def test_takes_a_database_that_is_named(self, devdb):
        code, said = devdb.run("exec", "--ephemeral", "--", "env", DATABASE_URL="postgres://elsewhere/db")

        assert code == 0
        assert "DATABASE_URL=postgres://elsewhere/db" in said.splitlines()

    @pytest.mark.parametrize(("sign", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
    def test_stops_the_command_and_the_server_when_it_is_told_to_stop(self, devdb, sign, code):
        with devdb.beside_a_server("sh", "-c", "echo up; exec sleep 60") as process:
            process.send_signal(sign)

            assert process.wait(timeout=20) == code
        assert devdb.servers() == []
        assert devdb.left_behind() == []

    @only_linux
    def test_leaves_no_server_even_when_it_is_killed(self, devdb):
        with devdb.beside_a_server("sh", "-c", "echo up; exec sleep 60") as process:
            process.kill()

        assert eventually(lambda: devdb.servers() == [])
        devdb.run("exec", "--ephemeral", "--", "true")
        assert devdb.left_behind() == []


class TestLastingServer:
    def test_is_started_once_and_found_again_from_a_terminal_with_other_settings(self, lasting, folder):
        _, first = lasting.run("start")
        _, second = lasting.run("start", TMPDIR=str(folder))

        assert first.startswith("postgres://postgres@/app?host=/")
        assert second == first
        assert len(lasting.servers()) == 1

    def test_keeps_its_data_over_a_crash(self, lasting):
        _, url = lasting.run("start")
        ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        crash(lasting)

        _, again = lasting.run("start")

        assert ask(again, "SELECT answer FROM kept") == 42

    def test_stops_when_told_and_does_not_mind_being_told_twice(self, lasting):
        lasting.run("start")

        assert [lasting.run("stop"), lasting.run("stop")] == [(0, ""), (0, "")]
        assert lasting.servers() == []


class TestBinaries:
    def test_says_in_one_sentence_what_helps_when_there_are_none(self, devdb):
        code, said = devdb.run("start", PG_BIN="/nowhere")

        assert code == 1
        assert said.startswith("No PostgreSQL 14 or later found.")
        assert "apt install postgresql" in said


def crash(devdb: DevDB) -> None:
    """Killed, its number now somebody else's, and the making of another cluster broken off."""
    [server] = devdb.servers()
    data = Path(os.fsdecode(Path(f"/proc/{server}/cmdline").read_bytes()).split("\0")[2])
    os.kill(server, signal.SIGKILL)
    assert eventually(lambda: devdb.servers() == [])
    pid_file = data / "postmaster.pid"
    pid_file.write_text(pid_file.read_text().replace(str(server), str(os.getpid())))
    data.with_name(f"{data.name}.unfinished").mkdir()


def ask(url: str, query: str) -> object:
    with psycopg.connect(host=url.strip().split("host=")[1], user="postgres", dbname="app") as connection:
        cursor = connection.execute(query)
        return cursor.fetchone()[0] if cursor.description else None  # type: ignore[index]
