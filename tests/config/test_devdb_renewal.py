from pathlib import Path

import psycopg
import pytest

from config.devdb.server import renew_outdated, running


@pytest.fixture(scope="module")
def url():
    with running(ephemeral=True) as url:
        yield url


@pytest.fixture
def project(tmp_path) -> Path:
    """Has an app with one migration, which the database knows."""
    migrations = tmp_path / "shop/migrations"
    migrations.mkdir(parents=True)
    (migrations / "0001_initial.py").touch()
    return tmp_path


@pytest.fixture
def database(url):
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("DROP TABLE IF EXISTS django_migrations")
        database.execute("CREATE TABLE django_migrations (app text, name text)")
        yield database


def apply(database, *migrations):
    with database.cursor() as cursor:
        cursor.executemany("INSERT INTO django_migrations VALUES (%s, %s)", migrations)


def has_tables(url) -> bool:
    with psycopg.connect(url) as database:
        return database.execute("SELECT to_regclass('django_migrations')").fetchone() != (None,)


class TestRenewOutdated:
    def test_makes_a_database_anew_whose_migrations_are_gone(self, url, project, database):
        apply(database, ("shop", "0001_initial"), ("shop", "0002_prices"))

        assert renew_outdated(url, project=project)
        assert not has_tables(url)

    def test_leaves_one_alone_whose_migrations_are_there(self, url, project, database):
        apply(database, ("shop", "0001_initial"), ("auth", "0012_of_django"))

        assert not renew_outdated(url, project=project)
        assert has_tables(url)

    def test_leaves_an_empty_one_alone(self, url, project, database):
        database.execute("DROP TABLE django_migrations")

        assert not renew_outdated(url, project=project)
