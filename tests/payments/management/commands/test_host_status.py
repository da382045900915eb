import io
import json

import pytest
from django.core.management import call_command
from django.db import connection

from tests.support.processes import DEAD_REDIS


def run(*options):
    """What was said, and the exit code."""
    out = io.StringIO()
    try:
        call_command("host_status", *options, stdout=out)
    except SystemExit as end:
        return out.getvalue(), end.code
    return out.getvalue(), 0


@pytest.mark.django_db
class TestHostStatus:
    def test_tells_where_each_secret_comes_from_and_four_characters_of_it(self, monkeypatch, tmp_path):
        mounted = tmp_path / "stripe_webhook_secret"
        mounted.write_text("whsec_of_this_endpoint_abcd\n")
        monkeypatch.delenv("STRIPE_WEBHOOK_SECRET", raising=False)
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRET_FILE", str(mounted))
        monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_very_secret_1234")
        monkeypatch.setenv("METRICS_TOKEN_FILE", str(tmp_path / "nowhere"))

        said, code = run()

        told = {words[0]: words[1:] for line in said.splitlines() if (words := line.split())}
        assert code == 0
        assert told["STRIPE_WEBHOOK_SECRET"] == ["…abcd", str(mounted)]
        assert told["STRIPE_SECRET_KEY"] == ["…1234", "environment"]
        assert "METRICS_TOKEN_FILE cannot be read: No such file or directory." in said
        assert "very_secret" not in said
        assert "of_this_endpoint" not in said

    def test_tells_programs_how_the_machine_stands(self):
        said, _code = run("--json")

        told = json.loads(said)
        assert told["well"] is True
        assert told["cpus"] >= 1
        assert len(told["load"]) == 3
        assert 0 < told["memory_used"] <= told["memory_total"]
        assert 0 < told["disk_free"] <= told["disk_total"]
        assert {"pid", "cpu_percent", "memory_mb", "command"} == set(told["processes"][0])
        assert told["versions"]["stripe_api"]

    def test_says_what_does_not_answer_and_no_password(self, settings, monkeypatch):
        settings.REDIS_URL = DEAD_REDIS.replace("//", "//:hunter2@")

        said, code = run()

        assert code == 1
        assert "redis    DOES NOT ANSWER (CONNECTIONERROR)" in said
        assert "hunter2" not in said
        assert connection.is_usable()
