import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.env import ROOT
from tests.config.processes import eventually, is_alive
from tests.support.processes import free_port

# The real program with other processes: a web server that answers at once, a worker that only waits.
PROGRAM = """
import os, sys
from config.devrun import __main__ as devrun
devrun.QUIET_SECONDS = 0.1
devrun.PREPARATION = [sys.executable, "-c", os.environ.get("PREPARED", "print('staff@example.com, password: s3cret')")]
def serving(address):
    return [sys.executable, "-m", "http.server", str(address.port), "--bind", "127.0.0.1", "-d", sys.argv[1]]
devrun.commands = lambda address, emulator: ({"stripe": serving(emulator)} if emulator else {}) | {
    "web": serving(address),
    "worker": ["sh", "-c", os.environ.get("WORKER", 'echo working; touch "$WORKER_READY_FILE"; exec sleep 60')],
}
sys.exit(devrun.main())
"""


class Run:
    """A run with a directory and a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.environment: dict[str, str] = {}
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
                    "STRIPE_SECRET_KEY": "sk_test_of_the_user",
                }
                | self.environment,
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
        process.wait(timeout=60)


class TestRun:
    def test_says_where_to_look_and_stops_everything_when_told(self, run):
        process = run.start_and_wait()
        children = run.children()

        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=60) == 0
        for told in (f"{run.url}/admin/", "s3cret", "send_event", "worker │ working", "Stopped."):
            assert told in run.said()
        assert not any(map(is_alive, children.values()))

    def test_is_ready_only_when_the_worker_runs(self, run):
        run.environment["WORKER"] = (
            'while [ ! -e "$VAR_DIR/begin" ]; do sleep 0.05; done; touch "$WORKER_READY_FILE"; sleep 60'
        )
        process = run.start()
        assert eventually(lambda: "GET /healthz/live" in run.said() and "web │" in run.said()), run.said()
        before = run.said()

        (run.folder / "var/begin").touch()

        assert eventually(lambda: "Ready after" in run.said()), run.said()
        assert "Ready after" not in before
        assert process.poll() is None

    def test_starts_nothing_when_the_preparation_fails(self, run):
        run.environment["PREPARED"] = "import sys; print('no such table', file=sys.stderr); sys.exit(1)"

        assert run.start().wait(timeout=12) == 1

        assert "no such table" in run.said()
        assert "The last step failed: nothing was started." in run.said()
        assert "Starting" not in run.said()

    def test_does_not_start_twice(self, run):
        first = run.start_and_wait()

        second = run.start()

        assert second.wait(timeout=60) == 1
        assert f"It is already running at {run.url}." in run.said()
        assert first.poll() is None

    def test_stops_everything_when_one_process_ends(self, run):
        process = run.start_and_wait()
        children = run.children()

        os.kill(children["web"], signal.SIGKILL)

        assert process.wait(timeout=60) == 1
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
            assert run.start().wait(timeout=60) == 1

        assert "Preparing" not in run.said()
        assert not (run.folder / "var/dev.env").exists()


class TestRunWithEmulator:
    @pytest.fixture
    def run(self, run):
        run.environment = {"STRIPE_SECRET_KEY": "", "STRIPE_EMULATOR_PORT": str(run.port + 7)}
        return run

    def test_shows_where_it_is_and_lets_other_terminals_know(self, run):
        run.start_and_wait()

        emulator = f"http://127.0.0.1:{run.port + 7}"
        remembered = (run.folder / "var/dev.env").read_text()
        assert f"{emulator}/  (emulator)" in run.said()
        assert "manage.py open_checkout" in run.said()
        assert f"STRIPE_API_BASE={emulator}\n" in remembered
        assert "STRIPE_SECRET_KEY=sk_test_emulator_" in remembered

    def test_is_ready_only_when_both_answer(self, run):
        (run.folder / "healthz/live").unlink()
        (run.folder / "healthz").rmdir()

        run.start_and_wait()

        answered = [line for line in run.said().splitlines() if "GET /healthz/live" in line]
        assert {line.split()[0] for line in answered} == {"stripe", "web"}

    def test_refuses_a_taken_port_before_it_starts_anything(self, run):
        with socket.create_server(("127.0.0.1", run.port + 7)):
            assert run.start().wait(timeout=60) == 1

        assert f"make run STRIPE_EMULATOR_PORT={run.port + 9}" in run.said()
        assert "Preparing" not in run.said()

    def test_refuses_a_live_key(self, run):
        run.environment["STRIPE_SECRET_KEY"] = "sk_live_" + "Abc123" * 4

        assert run.start().wait(timeout=60) == 1

        assert "STRIPE_SECRET_KEY is a key of live mode" in run.said()
        assert "Abc123" not in run.said()

    def test_leaves_nothing_behind_for_a_run_with_a_key(self, run):
        run.start_and_wait().send_signal(signal.SIGINT)
        run.started[-1].wait(timeout=60)
        run.environment = {}

        run.start_and_wait()

        remembered = (run.folder / "var/dev.env").read_text()
        assert "emulator" not in remembered.lower()
        assert "stripe listen --all-snapshot --forward-to" in run.said()
