import io
import json

import pytest
from django.core.management import call_command
from django.utils import timezone

from payments.ledger.models import RefusedDeliveries
from tests.support.set_up import site_in_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(settings, monkeypatch):
    with site_in_order(settings, monkeypatch) as made:
        yield made


def run(*options):
    """What was said, and the exit code."""
    out = io.StringIO()
    try:
        call_command("stripe_validate", *options, stdout=out)
    except SystemExit as end:
        return out.getvalue(), end.code
    return out.getvalue(), 0


class TestStripeValidate:
    def test_says_that_all_is_well_in_english(self, site, settings):
        settings.LANGUAGE_CODE = "fr"

        said, code = run()

        assert code == 0
        assert said.startswith("Everything is set up.\n  ok           There is a key (…1234), of test mode.\n")

    def test_says_what_is_wrong_and_ends_with_what_was_refused(self, site):
        site.endpoint["status"] = "disabled"
        now = timezone.now()
        RefusedDeliveries.objects.create(hour=now, code="wrong_host", count=12, last_at=now, host="old.example")

        said, code = run()

        assert code == 1
        assert said.startswith("1 thing is wrong.\n")
        assert "  FAULT        The webhook endpoint" in said
        assert "`manage.py stripe_webhooks enable`" in said
        assert "12 deliveries were refused in the last 24 hours." in said
        assert said.rstrip().endswith("or add the name to ALLOWED_HOSTS.")

    def test_tells_programs_in_one_object(self, site):
        site.stripe.portals.clear()

        said, code = run("--json")

        told = json.loads(said)
        [fault] = [each for each in told["checks"] if each["state"] == "fault"]
        assert (told["valid"], fault["rule"], code) == (False, "stripe.portal", 1)
        assert fault["remedy"].startswith("Save it once in the Dashboard")
        assert told["webhooks"]["refused"] == 0
