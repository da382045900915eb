"""How the machine and the process's surroundings stand, for whoever looks into a container: load, memory, disk, the
busiest processes, versions, what is reachable, and which secrets are here.

Needs no database to be there: what does not answer is said. Of secrets the last four characters are told.
"""

import os
import platform
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import django
import psutil
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseFailure
from django.db import connection
from redis import Redis, RedisError

from config.env import DOCKER_SECRETS, secret
from payments.stripe_api.signature import ending

# What must not be in logs or on screens; the last three hold passwords inside addresses.
SECRETS = (
    "SECRET_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "JWT_SECRET", "METRICS_TOKEN", "ALERT_WEBHOOK_SECRET",
    "DATABASE_URL", "REDIS_URL", "EMAIL_URL",
)  # fmt: skip
TOP = 5
MEASURED_SECONDS, REDIS_SECONDS = 0.5, 2.0
GIGABYTE = 1024**3


@dataclass(frozen=True, slots=True)
class SecretHere:
    """`source`: the environment, a file, or "" where there is none; `ending`: "…" and what is told of it."""

    name: str
    source: str
    ending: str = ""


@dataclass(frozen=True, slots=True)
class ProcessHere:
    """`cpu_percent`: of one core, while it was measured; `memory_mb`: resident."""

    pid: int
    cpu_percent: float
    memory_mb: int
    command: str


@dataclass(frozen=True, slots=True)
class HostStatus:
    """`load`: over 1, 5 and 15 minutes. Memory and disk in gigabytes. `reachable`: "" where it answers."""

    host: str
    cpus: int
    cpu_percent: float
    load: tuple[float, float, float]
    memory_used: float
    memory_total: float
    disk_free: float
    disk_total: float
    processes: list[ProcessHere]
    secrets: list[SecretHere]
    versions: dict[str, str]
    reachable: dict[str, str]

    @property
    def is_well(self) -> bool:
        return not any(self.reachable.values())

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {"well": self.is_well, **asdict(self)}


def read_host() -> HostStatus:
    """Takes half a second, in which processes are measured, and as long as what is away lets it wait."""
    processes = list(psutil.process_iter())
    for each in processes:
        _measured(each)
    psutil.cpu_percent()
    time.sleep(MEASURED_SECONDS)
    memory, disk = psutil.virtual_memory(), psutil.disk_usage(str(settings.BASE_DIR))
    return HostStatus(
        host=socket.gethostname(), cpus=psutil.cpu_count() or 1, cpu_percent=psutil.cpu_percent(),
        load=psutil.getloadavg(),
        memory_used=_gigabytes(memory.total - memory.available), memory_total=_gigabytes(memory.total),
        disk_free=_gigabytes(disk.free), disk_total=_gigabytes(disk.total),
        processes=_busiest(processes), secrets=[_look_for(name) for name in SECRETS], versions=_versions(),
        reachable={"database": _why_not(_ask_database), **_redis()},
    )  # fmt: skip


def _gigabytes(count: int) -> float:
    return round(count / GIGABYTE, 1)


def _measured(process: psutil.Process) -> ProcessHere | None:
    """None for one that has ended, or is none of our business."""
    try:
        with process.oneshot():
            # Arguments may hold passwords: the program's name is enough.
            return ProcessHere(process.pid, process.cpu_percent(), process.memory_info().rss // 1024**2, process.name())
    except psutil.Error:
        return None


def _busiest(processes: list[psutil.Process]) -> list[ProcessHere]:
    found = [measured for each in processes if (measured := _measured(each))]
    return sorted(found, key=lambda each: (-each.cpu_percent, -each.memory_mb))[:TOP]


def _look_for(name: str) -> SecretHere:
    """Where it comes from, in the order in which the settings look (config/env.py)."""
    if os.environ.get(name, "").strip():
        source = "environment"
    elif path := os.environ.get(f"{name}_FILE", "").strip():
        source = path
    else:
        source = str(DOCKER_SECRETS / name.lower())
    try:
        value = secret(name)
    except (ImproperlyConfigured, OSError) as error:
        return SecretHere(name, source="", ending=str(error))
    return SecretHere(name, source, ending(value)) if value else SecretHere(name, source="")


def _versions() -> dict[str, str]:
    return {
        "product": settings.VERSION, "environment": settings.ENVIRONMENT, "python": platform.python_version(),
        "django": django.get_version(), "stripe": version("stripe"), "stripe_api": settings.STRIPE_API_VERSION,
    }  # fmt: skip


def _why_not(ask: Callable[[], object]) -> str:
    """ "" where it answers; else the kind of error: its words may hold a password."""
    try:
        ask()
    except (DatabaseFailure, RedisError, OSError) as error:
        return f"does not answer ({type(error).__name__})"
    return ""


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _redis() -> dict[str, str]:
    """Nothing where there is none."""
    if not settings.REDIS_URL:
        return {}
    client = Redis.from_url(settings.REDIS_URL, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS)
    with client:
        return {"redis": _why_not(client.ping)}
