import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from config.health import must_be_migrated
from tests.support.processes import DEAD_REDIS


@pytest.fixture(autouse=True)
def _forgetful():
    must_be_migrated.cache_clear()
    yield
    must_be_migrated.cache_clear()


class TestLive:
    @pytest.mark.parametrize("url", ["/healthz/live", "/healthz/live/"])
    def test_answers_without_a_database(self, client, url):
        response = client.get(url)

        assert (response.status_code, response.json()) == (200, {"status": "ok"})
        assert "no-store" in response["Cache-Control"]

    def test_is_not_redirected(self, client, settings):
        settings.SECURE_SSL_REDIRECT = True

        assert client.get("/healthz/live").status_code == 200

    def test_takes_no_post(self, client):
        assert client.post("/healthz/live").status_code == 405


class TestReady:
    @pytest.mark.django_db
    def test_says_yes_when_the_database_fits_this_code(self, client):
        assert client.get("/healthz/ready").status_code == 200

    @pytest.mark.django_db
    def test_says_no_until_the_database_is_migrated(self, client):
        MigrationRecorder.Migration.objects.filter(app="payments").delete()

        response = client.get("/healthz/ready")

        assert (response.status_code, response.json()["reason"]) == (503, "migrations")

    @pytest.mark.django_db
    def test_asks_about_migrations_only_until_they_are_applied(self, client, django_assert_num_queries):
        client.get("/healthz/ready")

        with django_assert_num_queries(2):  # is it there, and does it count
            client.get("/healthz/ready")

    @pytest.mark.django_db(transaction=True)
    def test_says_no_while_nothing_can_be_counted_in_the_database(self, client):
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE cache_entry RENAME TO elsewhere")
        try:
            response = client.get("/healthz/ready")
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE elsewhere RENAME TO cache_entry")

        assert (response.status_code, response.json()["reason"]) == (503, "counters")
        assert client.get("/healthz/ready").status_code == 200

    @pytest.mark.django_db
    def test_says_no_while_nothing_can_be_counted_in_redis(self, client, settings):
        settings.REDIS_URL = DEAD_REDIS

        response = client.get("/healthz/ready")

        assert (response.status_code, response.json()["reason"]) == (503, "counters")

    @pytest.mark.django_db(transaction=True)
    def test_says_no_while_the_database_is_away(self, client, monkeypatch):
        connection.close()
        with monkeypatch.context() as patch:
            patch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
            patch.setitem(connection.settings_dict, "PORT", "1")

            response = client.get("/healthz/ready")

        assert (response.status_code, response.json()["reason"]) == (503, "database")
        assert client.get("/healthz/ready").status_code == 200
