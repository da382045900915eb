"""How gunicorn runs the emulator: `gunicorn -c python:stripe_emulator.serving stripe_emulator.wsgi`."""

import os
import signal
import time
from importlib import import_module
from typing import Any

# One process: its loop alone sends, and chaos keeps the order of the queue.
workers = 1
worker_class = "gthread"
threads = 16
graceful_timeout = 12
control_socket_disable = True

PAUSE_BEFORE_DEATH = 1.0
_loops: list[Any] = []


def post_worker_init(worker: Any) -> None:
    """Start the loop. Gunicorn reads this file before Django is there, so the loop is imported now."""
    loop = import_module("stripe_emulator.events.loop").Loop(on_death=_end_worker)
    _loops.append(loop)
    loop.start()


def worker_exit(server: Any, worker: Any) -> None:
    """Stop the loop, and let it finish what it is sending."""
    while _loops:
        _loops.pop().stop()


def _end_worker() -> None:
    """A process without its loop only looks alive: gunicorn starts another one."""
    time.sleep(PAUSE_BEFORE_DEATH)
    os.kill(os.getpid(), signal.SIGTERM)
