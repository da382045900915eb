"""Ports, processes and patience for tests that start real programs."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path


def free_port() -> int:
    """Below those that the system hands out to outgoing connections."""
    for port in range(20_000 + os.getpid() % 5_000, 32_000):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise AssertionError("every port is taken")


def is_alive(pid: int) -> bool:
    """Not so for a zombie, which has no command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


def eventually(is_so: Callable[[], bool], seconds: float = 12) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_so()
