"""A development database of an older version, whose migrations are gone, gives way to a new one."""

from pathlib import Path

import psycopg
from psycopg import sql

from config.devdb.server import DATABASE
from config.env import ROOT


def renew_outdated(url: str, *, project: Path = ROOT) -> bool:
    """Replace the database by an empty one if it was made by migrations that the project does not have any more.

    `url`: of our own server, never of one that somebody named. Returns whether it was replaced.
    """
    with psycopg.connect(url, autocommit=True) as inside:
        if not _has_lost_migrations(inside, project):
            return False
    with psycopg.connect(url, dbname="postgres", autocommit=True) as beside:
        for command in ("DROP DATABASE {} WITH (FORCE)", "CREATE DATABASE {}"):
            beside.execute(sql.SQL(command).format(sql.Identifier(DATABASE)))
    return True


def _has_lost_migrations(inside: psycopg.Connection, project: Path) -> bool:
    """Only of the project's own apps: who else's are installed is not our business."""
    if inside.execute("SELECT to_regclass('django_migrations')").fetchone() == (None,):
        return False
    applied = inside.execute("SELECT app, name FROM django_migrations").fetchall()
    ours = [(project / app / "migrations", name) for app, name in applied]
    return any(folder.is_dir() and not (folder / f"{name}.py").exists() for folder, name in ours)
