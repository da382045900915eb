import io
import json

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import User
from config import health
from payments.alerts.models import Alert
from payments.health import deployment
from payments.health.deployment import BOXES
from tests.support.set_up import site_in_order
from tests.support.watching import everything_lives

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(settings, monkeypatch):
    """Everything as it should be; each test spoils one thing. Django's own checks are about this test run."""
    settings.VERSION, settings.METRICS_TOKEN = "1.0.0", "sesame"
    monkeypatch.setattr(deployment, "run_checks", lambda **_options: [])
    everything_lives(at=timezone.now())
    User.objects.create_superuser("staff@example.com", "a password of staff")
    with site_in_order(settings, monkeypatch) as made:
        yield made


def run(*options):
    """What was said, and the exit code."""
    out = io.StringIO()
    try:
        call_command("deploy_check", *options, stdout=out)
    except SystemExit as end:
        return out.getvalue(), end.code
    return out.getvalue(), 0


def boxes(said):
    return {each["title"]: each for each in json.loads(said)["boxes"]}


class TestDeployCheck:
    def test_ticks_what_a_command_can_and_asks_a_person_for_the_rest(self, site):
        said, code = run()

        assert code == 0, said
        assert said.count("\n  [") == len(BOXES) == 20
        assert "[!]" not in said
        assert "  [x] Version and migrations: Version 1.0.0 runs here" in said
        assert "  [ ] Back-up: " in said
        assert "→ `manage.py incident open --reason … --pause-sales`" in said
        assert said.rstrip().endswith("Nothing is wrong, 8 for a person to look at.")

    @pytest.mark.parametrize(
        ("spoil", "title", "remedy"),
        [
            (
                lambda site: site.endpoint.update(status="disabled"),
                "Webhook endpoint at Stripe",
                "stripe_webhooks enable",
            ),
            (lambda site: setattr(site.settings, "STRIPE_ALERT_EMAIL", []), "Settings", "STRIPE_ALERT_EMAIL"),
            (lambda site: site.web.statuses.update(POST=401), "Webhook answers", "pass POST on"),
            (lambda site: setattr(site.settings, "VERSION", "development"), "Version and migrations", "VERSION"),
            (lambda site: setattr(site.settings, "METRICS_TOKEN", ""), "Monitoring and alerts", "METRICS_TOKEN"),
            (lambda site: User.objects.update(is_active=False), "Admin", "first account"),
        ],
        ids=["endpoint", "alerts", "proxy", "version", "metrics", "staff"],
    )
    def test_says_what_is_wrong_and_what_to_do(self, site, spoil, title, remedy):
        spoil(site)

        said, code = run("--json")

        assert (code, json.loads(said)["well"]) == (1, False)
        assert boxes(said)[title]["state"] == "wrong"
        assert remedy in boxes(said)[title]["remedy"] + boxes(said)[title]["command"]

    def test_counts_open_alerts(self, site):
        now = timezone.now()
        Alert.objects.create(rule="host.busy", severity="medium", text="busy", opened_at=now, seen_at=now)

        said, _code = run("--json")

        assert boxes(said)["Monitoring and alerts"]["says"] == "Alerts that are open: 1."

    def test_looks_no_further_while_migrations_are_missing(self, site, monkeypatch):
        def missing():
            raise health.NotMigrated

        monkeypatch.setattr(health, "must_be_migrated", missing)

        said, code = run("--json")

        [box] = boxes(said).values()
        assert (code, box["remedy"]) == (1, "Run: manage.py migrate")
