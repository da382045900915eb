from datetime import timedelta

import pytest
from django.db import OperationalError
from django.urls import reverse
from prometheus_client.parser import text_string_to_metric_families

from config import metrics

METRICS = reverse("metrics")
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture
def token(settings):
    settings.METRICS_TOKEN = "sesame"
    return "sesame"


def names(response):
    return {family.name for family in text_string_to_metric_families(response.content.decode())}


@pytest.mark.django_db
class TestMetrics:
    def test_tells_what_the_apps_have_registered(self, client):
        response = client.get(METRICS)

        assert response.status_code == 200
        assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert "no-store" in response["Cache-Control"]
        assert "module_accesses_created" in names(response)
        assert not any(name.startswith("process_") for name in names(response))

    def test_speaks_the_newer_format_to_who_asks_for_it(self, client):
        response = client.get(METRICS, headers={"accept": OPEN_METRICS})

        assert response["Content-Type"].startswith("application/openmetrics-text")
        assert response.content.endswith(b"# EOF\n")

    def test_answers_head_and_nothing_that_acts(self, client):
        assert client.head(METRICS).status_code == 200
        assert client.head(METRICS).content == b""
        assert client.post(METRICS).status_code == 405

    @pytest.mark.parametrize(
        "header", ["", "sesame", "Bearer", "Bearer sesam", "Bearer sesame2", "Basic sesame", "Bearer é"]
    )
    def test_needs_the_token_where_there_is_one(self, client, token, header):
        response = client.get(METRICS, headers={"authorization": header})

        assert response.status_code == 401
        assert response["WWW-Authenticate"] == "Bearer"
        assert b"module_" not in response.content
        assert "no-store" in response["Cache-Control"]

    def test_opens_with_the_token(self, client, token, settings):
        settings.PRODUCTION = True

        assert client.get(METRICS, headers={"authorization": "Bearer sesame"}).status_code == 200
        assert client.get(METRICS, headers={"authorization": "bearer  sesame"}).status_code == 200

    def test_is_not_there_in_production_without_a_token(self, client, settings):
        settings.PRODUCTION = True

        assert client.get(METRICS).status_code == 404
        assert client.get(METRICS, headers={"authorization": "Bearer "}).status_code == 404

    def test_says_when_the_database_does_not_answer(self, client, monkeypatch):
        def fail(_at):
            raise OperationalError("away")

        monkeypatch.setattr(metrics, "_collects", [fail])

        response = client.get(METRICS)

        assert (response.status_code, response.content) == (503, b"The database does not answer.\n")


class TestCollects:
    def test_registers_what_is_read_at_the_moment_of_the_scrape(self, monkeypatch):
        asked = []
        monkeypatch.setattr(metrics, "_collects", [])
        assert metrics.collects(lambda at: asked.append(at) or []) in metrics._collects
        noon = metrics.timezone.now() - timedelta(hours=1)

        assert list(metrics.Measured(noon).collect()) == []

        assert asked == [noon]
