"""The sites that are measured, ours and the peers', each with real servers and a database of its own.

A peer that is a project of its own lives in `benchmarks/peers`. What needs other packages than ours is installed into
`var/bench`, once.
"""

import hashlib
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg
from django.db import connection
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from benchmarks.load import sample_delivery
from benchmarks.measure import NotMeasured, family
from config.env import VAR
from tests.support.processes import Process, for_test_database, free_port, has_redis, running, running_redis
from tests.support.signing import URL
from tests.support.web_server import web_server

PEERS = Path(__file__).parent / "peers"
REQUIREMENTS = PEERS / "requirements.txt"
WEB_PROCESSES, THREADS = 2, 4
SECRET = f"whsec_{secrets.token_hex(16)}"
# Our site as it runs in production, but for its mails, which are written and thrown away.
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "ENVIRONMENT": "production",
    "ALLOWED_HOSTS": "127.0.0.1",
    "SITE_URL": "https://shop.example",
    "SECRET_KEY": secrets.token_urlsafe(50),
    "STRIPE_SECRET_KEY": "sk_live_unused",
    "STRIPE_WEBHOOK_SECRET": SECRET,
    "STRIPE_ALERT_EMAIL": "staff@shop.example",
    "STRIPE_EMULATOR": "0",
    "EMAIL_URL": "dummymail://",
    "LOG_LEVEL": "INFO",
    "LOG_FORMAT": "json",
}
# How deliveries are recorded.
ONE_BY_ONE = {"WEBHOOK_GROUP_COMMIT": "0"}
GROUP_COMMIT = {"WEBHOOK_GROUP_COMMIT": "1"}


@dataclass(frozen=True)
class Site:
    """Where it takes deliveries, into which tables (the first has a row for each), and the processes that do so."""

    port: int
    tables: tuple[str, ...]
    database: str
    web: Process
    broker: Process | None = None
    path: str = URL
    broker_url: str = ""

    @property
    def roots(self) -> list[int]:
        return [process.popen.pid for process in (self.web, self.broker) if process]

    @property
    def web_workers(self) -> list[int]:
        """The processes that answer."""
        return [pid for pid in family(self.web.popen.pid) if pid != self.web.popen.pid]


@contextmanager
def ours(place: Path, way: dict[str, str]) -> Iterator[Site]:
    """The product, through one of its doors."""
    told = {**PRODUCTION, **way, "WEB_CONCURRENCY": str(WEB_PROCESSES)}
    with web_server(place, **told) as server:
        yield Site(server.port, ("payments_paymentevent",), our_database(), server.process)


@contextmanager
def with_a_task_for_each(place: Path) -> Iterator[Site]:
    """The product, whose web processes send a Celery task for each event instead of ringing for a drain."""
    with broker(place) as (redis, url):
        told = {**PRODUCTION, "CELERY_BROKER_URL": url, "VAR_DIR": str(place)}
        with gunicorn("one_task_per_event.web", place=place, environment=told) as (web, port):
            yield Site(port, ("payments_paymentevent",), our_database(), web, redis, broker_url=url)


@contextmanager
def textbook(place: Path) -> Iterator[Site]:
    """DRF and Celery as tutorials join them."""
    with ExitStack() as stack:
        told = {
            "DJANGO_SETTINGS_MODULE": "textbook.settings",
            "STRIPE_WEBHOOK_SECRET": SECRET,
            **peer_database("textbook"),
        }
        redis = None
        if has_redis:
            redis, told["BROKER_URL"] = stack.enter_context(broker(place))
        else:
            told |= {"BROKER_URL": "filesystem://", "BROKER_FOLDER": str(place)}
        once(sys.executable, "-m", "django", "migrate", "--run-syncdb", environment=told)
        web, port = stack.enter_context(gunicorn("textbook.wsgi", place=place, environment=told))
        yield Site(port, ("textbook_stripeevent",), told["PGDATABASE"], web, redis)


@contextmanager
def dj_stripe(place: Path, *, calls_back: bool) -> Iterator[Site]:
    """dj-stripe as its documentation sets it up, with Stripe's answers from within the process."""
    python = peers_python()
    answer = place / "session.json"
    answer.write_text(json.dumps(sample_delivery()["data"]["object"] | {"id": "SESSION_ID", "payment_intent": None}))
    told = {
        "DJANGO_SETTINGS_MODULE": "djstripe_site.settings", "STRIPE_WEBHOOK_SECRET": SECRET, "SESSION": str(answer),
        "CALLS_BACK": "1" if calls_back else "", **peer_database("djstripe"),
    }  # fmt: skip
    path = once(python, "-m", "djstripe_site.prepare", environment=told).split()[-1]
    tables = ("djstripe_webhookeventtrigger", "djstripe_event", "djstripe_session")
    with gunicorn("djstripe_site.wsgi", place=place, environment=told, python=python) as (web, port):
        yield Site(port, tables, told["PGDATABASE"], web, path=path)


@contextmanager
def gunicorn(
    module: str, *, place: Path, environment: Mapping[str, str], python: str = sys.executable
) -> Iterator[tuple[Process, int]]:
    """A peer's web server, with as many processes and threads as ours, and its port."""
    size = ("--workers", str(WEB_PROCESSES), "--threads", str(THREADS), "--keep-alive", "30")
    command = (python, "-m", "gunicorn", module, "--bind", "127.0.0.1:0", "--no-control-socket", *size)
    with running(*command, log=place / "peer.log", environment=beside_us(environment)) as process:
        process.wait_for("Booting worker")
        listening = re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", process.output)
        assert listening, process.output
        yield process, int(listening[1])
        process.stop()


@contextmanager
def broker(place: Path) -> Iterator[tuple[Process, str]]:
    """A Redis server and its address."""
    if not has_redis:
        raise NotMeasured("there is no redis-server on this machine")
    port = free_port()
    with running_redis(place, port=port) as redis:
        yield redis, f"redis://127.0.0.1:{port}/0"


def beside_us(environment: Mapping[str, str]) -> dict[str, str]:
    """Where Python finds the peers."""
    return {"PYTHONPATH": str(PEERS), "PYTHONUNBUFFERED": "1", **environment}


def once(*command: str, environment: Mapping[str, str]) -> str:
    """Run a command of a peer to its end; what it said."""
    told = {**os.environ, **beside_us(environment)}
    done = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotMeasured(f"{' '.join(command[1:4])} failed: {last_line(done.stderr)}")
    return done.stdout


def our_database() -> str:
    return str(connection.settings_dict["NAME"])


def address(name: str) -> str:
    """How psycopg connects to the database of this name on our server."""
    return psycopg.conninfo.make_conninfo(for_test_database()["DATABASE_URL"], dbname=name)


def peer_database(name: str) -> dict[str, str]:
    """A database of this name on our server, made if need be, as libpq's environment names it."""
    with psycopg.connect(address(our_database()), autocommit=True) as inside:
        if inside.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            inside.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    told = conninfo_to_dict(address(name))
    return {names[key]: str(value) for key, value in told.items() if key in names}


@cache
def peers_python() -> str:
    """The interpreter that has the peers' packages; made once, anew for other requirements."""
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = VAR / "bench" / wanted
    python = str(folder / "bin" / "python")
    if not (folder / "whole").exists():
        print(f"Installing the peers' packages into {folder.relative_to(VAR.parent)} …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(REQUIREMENTS)]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotMeasured(f"its packages could not be installed: {last_line(done.stderr)}")
        (folder / "whole").touch()
    return python


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it says nothing"])[-1]
