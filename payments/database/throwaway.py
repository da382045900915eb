"""A database beside this one, made by the migrations and dropped again: to try what the real one is too good for."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql

from config.env import text

PREFIX = "trial_"
# Both may lead elsewhere than DATABASE_URL, which is ours to say.
OTHER_WAYS = ("DATABASE_URL_FILE", "DATABASE_LISTEN_URL", "DATABASE_LISTEN_URL_FILE")
SECONDS = 3600


class NoThrowaway(Exception):
    """There can be none; the text says why and what helps."""


class Throwaway:
    """The database; `run` starts a command of manage.py in it, `connect` opens a connection."""

    def __init__(self, name: str) -> None:
        self.name = name

    def run(self, *arguments: str) -> str:
        """What it has printed. Raises NoThrowaway with the last line that it has to say where it fails."""
        url = urlsplit(text("DATABASE_LISTEN_URL") or text("DATABASE_URL"))._replace(path=f"/{self.name}").geturl()
        environment = {name: value for name, value in os.environ.items() if name not in OTHER_WAYS}
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=settings.BASE_DIR, capture_output=True, text=True,
            env=environment | {"DATABASE_URL": url}, timeout=SECONDS, check=False,
        )  # fmt: skip
        if done.returncode:
            said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()] or ["it said nothing"]
            raise NoThrowaway(f"In a throw-away database manage.py {arguments[0]} has failed: {said[-1]}")
        return done.stdout

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(**_parameters(self.name))


@contextmanager
def throwaway_database() -> Iterator[Throwaway]:
    """Migrated, empty, and gone afterwards. Raises NoThrowaway where the role may not make one."""
    name = f"{PREFIX}{secrets.token_hex(6)}"
    with psycopg.connect(**_parameters(), autocommit=True) as server:
        _require_right(server)
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            database = Throwaway(name)
            database.run("migrate", "--verbosity", "0", "--no-input")
            yield database
        finally:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _require_right(server: psycopg.Connection[Any]) -> None:
    found = server.execute("SELECT rolcreatedb OR rolsuper, rolname FROM pg_roles WHERE rolname = current_user")
    may, role = found.fetchone() or (False, "?")
    if not may:
        raise NoThrowaway(
            f"The role {role} may not make a throw-away database. Let a superuser of the server allow it: "
            f'ALTER ROLE "{role}" CREATEDB;'
        )


def _parameters(name: str = "") -> dict[str, Any]:
    """Those of Django's own connection, as libpq knows them."""
    parameters: dict[str, Any] = dict(connection.get_connection_params())
    for ours in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(ours, None)
    return parameters | ({"dbname": name} if name else {})
