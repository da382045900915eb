import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.devenv import ROOT
from tests.config.processes import eventually, free_port, is_alive

# The real program with other processes: a web server that answers at once, a worker that only waits.
PROGRAM = """
import sys
from config.devrun import __main__ as devrun, preparation, readiness
readiness.QUIET_SECONDS = 0.1
preparation.STEPS = {}
preparation.ENSURE_STAFF = (sys.executable, "-c", "print('staff@example.com, password: s3cret')")
devrun.commands = lambda address: {
    "web": [sys.executable, "-m", "http.server", str(address.port), "--bind", "127.0.0.1", "-d", sys.argv[1]],
    "worker": ["sh", "-c", "echo working; exec sleep 60"],
}
sys.exit(devrun.main())
"""


class Run:
    """A run with a directory and a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        (folder / "healthz").mkdir()
        (folder / "healthz/live").touch()
        self.log = folder / "log"
        self.started: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> subprocess.Popen[bytes]:
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(self.folder)],
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ
                | {
                    "VAR_DIR": str(self.folder / "var"),
                    "PORT": str(self.port),
                    "DATABASE_URL": "postgres://elsewhere",
                },
            )
        self.started.append(process)
        return process

    def start_and_wait(self) -> subprocess.Popen[bytes]:
        process = self.start()
        assert eventually(lambda: "Ready after" in self.said() or process.poll() is not None), self.said()
        assert process.poll() is None, self.said()
        return process

    def said(self) -> str:
        return self.log.read_text()

    def children(self) -> dict[str, int]:
        """The processes that the run has started."""
        noted = json.loads((self.folder / "var/run.lock").read_text())["children"]
        return dict(zip(["web", "worker"], (pid for pid, _ in noted), strict=True))


@pytest.fixture
def run(tmp_path) -> Iterator[Run]:
    run = Run(tmp_path)
    yield run
    for process in run.started:
        process.terminate()
        process.wait(timeout=15)


class TestRun:
    def test_says_where_to_look_and_stops_everything_when_told(self, run):
        process = run.start_and_wait()
        children = run.children()

        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=12) == 0
        for told in (f"{run.url}/admin/", "s3cret", "send_event", "worker │ working", "Stopped."):
            assert told in run.said()
        assert not any(map(is_alive, children.values()))

    def test_does_not_start_twice(self, run):
        first = run.start_and_wait()

        second = run.start()

        assert second.wait(timeout=12) == 1
        assert f"It is already running at {run.url}." in run.said()
        assert first.poll() is None

    def test_stops_everything_when_one_process_ends(self, run):
        process = run.start_and_wait()
        children = run.children()

        os.kill(children["web"], signal.SIGKILL)

        assert process.wait(timeout=12) == 1
        assert "web ended by itself with code -9" in run.said()
        assert not is_alive(children["worker"])

    def test_can_be_started_again_after_it_was_killed(self, run):
        run.start_and_wait().kill()
        left_behind = run.children()

        again = run.start_and_wait()

        assert again.poll() is None
        assert not any(map(is_alive, left_behind.values()))

    def test_refuses_a_taken_port_before_it_starts_anything(self, run):
        with socket.create_server(("127.0.0.1", run.port)):
            assert run.start().wait(timeout=12) == 1

        assert "Preparing" not in run.said()
        assert not (run.folder / "var/dev.env").exists()
