"""The site behind the web server of production, on a free port of this machine, with the tests' database."""

import json
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.support.processes import Process, running, wait_until

COMMAND = (sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", "127.0.0.1:0")
SERVING = "config.serving"
OPTIONS = ("-c", f"python:{SERVING}")


@dataclass(frozen=True)
class WebServer:
    """A running server."""

    port: int
    process: Process

    def lines(self, event: str, *, request_id: str) -> list[dict[str, Any]]:
        """The log lines of this kind that a request has left."""
        texts = [text for text in self.process.output.splitlines() if text.startswith("{")]
        wanted = {"event": event, "request_id": request_id}
        return [line for line in map(json.loads, texts) if wanted.items() <= line.items()]

    def connect(self) -> HTTPConnection:
        """A client's connection; the caller closes it."""
        return HTTPConnection("127.0.0.1", self.port, timeout=30)

    def talk(self, raw: bytes, *, hang_up: bool = False) -> bytes:
        """Say exactly these bytes, perhaps say that no more will come, and listen to the end."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as wire:
            wire.sendall(raw)
            if hang_up:
                wire.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := wire.recv(65536):
                answer += piece
            return answer


@contextmanager
def web_server(directory: Path, *, serving: str = SERVING, **environment: str) -> Iterator[WebServer]:
    """Start it, wait until it answers, stop it. `serving`: the module that says how gunicorn runs it."""
    told = {"LOG_FORMAT": "json", "LOG_LEVEL": "INFO", "VAR_DIR": str(directory), **environment}
    with running(*COMMAND, "-c", f"python:{serving}", log=directory / "web.log", environment=told) as process:
        process.wait_for("Booting worker")
        listening = re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", process.output)
        assert listening, process.output
        server = WebServer(port=int(listening[1]), process=process)
        wait_until(lambda: _is_alive(server), or_show=lambda: process.output)
        yield server
        process.stop()


def _is_alive(server: WebServer) -> bool:
    with closing(server.connect()) as client:
        client.request("GET", "/healthz/live")
        return client.getresponse().status == 200
