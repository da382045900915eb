"""Hosts on one machine: network namespaces joined by a bridge, which has one of its own, and the servers in them.

The machine's own network stays as it is: nothing in it leads to the hosts. Who is `inside` one starts processes there
and connects from there. Files are the same for all, and with them PostgreSQL's Unix socket.
"""

import ctypes
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from config.devdb.machine import Owner, find_binaries, temporary_place
from config.devdb.server import Server
from tests.support.processes import running

NAMESPACES = Path("/run/netns")
SWITCH, BRIDGE, DATABASE, REDIS = "switch", "bridge", "database", "redis"
HOSTS = ("web1", "web2", "worker1", "worker2", DATABASE, REDIS)
# The same cables bear both: by the second one the way to the database is long (benchmarks/namespaces_delay.py).
NEAR, FAR = "10.213.0", "10.214.0"
MTU = "9000"  # as in a data centre
PREFIX = "payments"
LEFT_BEHIND = re.compile(rf"{PREFIX}-(\d+)-\w+")
REDIS_PORT = 6379
_libc = ctypes.CDLL(None, use_errno=True)


class NoNamespaces(Exception):
    """This machine cannot do it; the text says why."""


def must_be_possible() -> None:
    """Raises NoNamespaces unless this is root on Linux with the `ip` program."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise NoNamespaces("Network namespaces need Linux and root: run it as root.")
    if shutil.which("ip") is None or shutil.which("redis-server") is None:
        raise NoNamespaces("The programs ip and redis-server are needed:  apt install iproute2 redis-server")


@contextmanager
def hosts() -> Iterator[None]:
    """A namespace for each host and the bridge between them; removed at the end, also those of a run that was killed.

    Raises NoNamespaces where the kernel refuses.
    """
    _remove_left_behind()
    with ExitStack() as stack:
        for name in (SWITCH, *HOSTS):
            ip("netns", "add", full_name(name))
            stack.callback(ip, "netns", "del", full_name(name))
        ip("link", "add", BRIDGE, "type", "bridge", host=SWITCH)
        ip("link", "set", BRIDGE, "up", host=SWITCH)
        for name in HOSTS:
            _plug_in(name)
        yield


def _plug_in(name: str) -> None:
    """A cable from the host to the bridge: `eth0` at its own end, at the other one called like the host."""
    there = ("type", "veth", "peer", "name", "eth0", "mtu", MTU, "netns", full_name(name))
    ip("link", "add", name, "mtu", MTU, *there, host=SWITCH)
    ip("link", "set", name, "master", BRIDGE, "up", host=SWITCH)
    ip("address", "add", f"{address_of(name)}/24", "dev", "eth0", host=name)
    for device in ("lo", "eth0"):
        ip("link", "set", device, "up", host=name)


def _remove_left_behind() -> None:
    for namespace in NAMESPACES.glob(f"{PREFIX}-*"):
        found = LEFT_BEHIND.fullmatch(namespace.name)
        if found and not Path(f"/proc/{found[1]}").exists():
            ip("netns", "del", namespace.name)


def full_name(name: str) -> str:
    """Of the namespace; with our number, so that two runs do not meet."""
    return f"{PREFIX}-{os.getpid()}-{name}"


def address_of(name: str, *, network: str = NEAR) -> str:
    return f"{network}.{HOSTS.index(name) + 1}"


def ip(*command: str, host: str = "") -> None:
    """Run `ip`, inside a host or outside of all. Raises NoNamespaces with what it says."""
    where = ("-n", full_name(host)) if host else ()
    done = subprocess.run(("ip", *where, *command), capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoNamespaces(f"`ip {' '.join(command)}` was refused: {done.stderr.strip()}")


@contextmanager
def inside(host: str) -> Iterator[None]:
    """This thread, what it starts and what it connects is in the host's network; "": stays where it is."""
    if not host:
        yield
        return
    with open("/proc/thread-self/ns/net") as before, (NAMESPACES / full_name(host)).open() as there:
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(before.fileno())


def _enter(namespace: int) -> None:
    # os.setns came with Python 3.12.
    if _libc.setns(namespace, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def cut_off(host: str, *, seconds: float) -> None:
    """Pull the host's cable, and put it in again after so long."""
    ip("link", "set", host, "down", host=SWITCH)
    try:
        time.sleep(seconds)
    finally:
        ip("link", "set", host, "up", host=SWITCH)


@dataclass(frozen=True)
class Reachable(Owner):
    """Whose PostgreSQL listens on the addresses of its host, too: the development server has its socket only."""

    def start(self, command: Sequence[str | Path], **options: Any) -> subprocess.Popen[bytes]:
        return super().start([*command, "-c", "listen_addresses=*"], **options)


@contextmanager
def database() -> Iterator[Server]:
    """A server on the host `database`, with the defaults of production, open to the other hosts."""
    with temporary_place(Reachable.current()) as place:
        server = Server(place, *find_binaries(place), lasting=True)
        try:
            with inside(DATABASE):
                server.start(tied=True)
            with (server.data / "pg_hba.conf").open("a") as rules:
                rules.writelines(f"host all all {network}.0/24 trust\n" for network in (NEAR, FAR))
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute("SELECT pg_reload_conf()")
            yield server
        finally:
            server.stop()


@contextmanager
def redis(place: Path, *, host: str, port: int = REDIS_PORT) -> Iterator[str]:
    """The URL of a Redis server on this host."""
    where = address_of(host)
    command = ("redis-server", "--bind", where, "--port", str(port), "--protected-mode", "no", "--save", "")
    with inside(host), running(*command, "--dir", str(place), log=place / "redis.log") as server:
        server.wait_for("Ready to accept connections")
        yield f"redis://{where}:{port}/0"
