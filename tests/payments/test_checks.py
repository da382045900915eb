import string

import pytest
from django.core.checks import run_checks


@pytest.fixture
def site(settings):
    """A site as it should be; each test spoils one thing."""
    settings.ENVIRONMENT, settings.PRODUCTION = "production", True
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_a"]
    settings.STRIPE_WEBHOOK_UNSIGNED = False
    settings.STRIPE_SECRET_KEY = "sk_live_a"
    settings.STRIPE_ALERT_EMAIL = ["staff@example.com"]
    settings.SECRET_KEY = string.ascii_letters
    return settings


def found(*, deploying=False):
    messages = run_checks(tags=["security"], include_deployment_checks=deploying)
    return [message.id for message in messages if str(message.id).startswith("payments.")]


class TestChecks:
    @pytest.mark.parametrize("key", ["sk_live_a", "rk_live_a", ""])
    def test_find_nothing_where_all_is_well(self, site, key):
        site.STRIPE_SECRET_KEY = key

        assert found(deploying=True) == []

    @pytest.mark.parametrize("deploying", [True, False])
    def test_find_a_production_without_webhook_secret(self, site, deploying):
        site.STRIPE_WEBHOOK_SECRETS = []

        assert found(deploying=deploying) == ["payments.E001"]

    def test_find_a_missing_secret_elsewhere_only_when_deploying(self, site):
        site.ENVIRONMENT, site.PRODUCTION, site.STRIPE_SECRET_KEY = "development", False, "sk_test_a"
        site.STRIPE_WEBHOOK_SECRETS = []

        assert (found(), found(deploying=True)) == ([], ["payments.E001"])

    @pytest.mark.parametrize(
        ("environment", "ids"), [("production", ["payments.E002"]), ("test", ["payments.E002"]), ("development", [])]
    )
    def test_find_unsigned_webhooks_outside_development(self, site, environment, ids):
        site.ENVIRONMENT, site.PRODUCTION = environment, environment == "production"
        site.STRIPE_SECRET_KEY = "sk_live_a" if site.PRODUCTION else "sk_test_a"
        site.STRIPE_WEBHOOK_UNSIGNED = True

        assert found() == ids

    @pytest.mark.parametrize("key", ["sk_test_a", "rk_test_a"])
    def test_find_a_test_key_in_production_alone(self, site, key):
        site.STRIPE_SECRET_KEY = key
        assert found() == ["payments.E003"]

        site.ENVIRONMENT, site.PRODUCTION = "development", False
        assert found() == []

    @pytest.mark.parametrize("key", ["sk_live_a", "rk_live_a"])
    @pytest.mark.parametrize("environment", ["development", "test"])
    def test_find_a_live_key_everywhere_else(self, site, environment, key):
        site.ENVIRONMENT, site.PRODUCTION, site.STRIPE_SECRET_KEY = environment, False, key

        assert found() == ["payments.E004"]

    def test_find_a_production_in_which_nobody_is_alerted(self, site):
        site.STRIPE_ALERT_EMAIL = []

        assert found() == ["payments.E005"]

    @pytest.mark.parametrize("key", ["short", "abcd" * 20, "django-insecure-" + string.ascii_letters])
    def test_find_a_key_that_can_be_guessed_in_production_alone(self, site, key):
        site.SECRET_KEY = key
        assert found() == ["payments.E006"]

        site.ENVIRONMENT, site.PRODUCTION, site.STRIPE_SECRET_KEY = "development", False, "sk_test_a"
        assert found() == []

    @pytest.mark.parametrize("name", ["STRIPE_PUBLISHABLE_KEY", "STRIPE_MONITORING_ENABLED", "STRIPE_WEBHOOK_URL"])
    def test_name_a_setting_that_does_nothing(self, site, monkeypatch, name):
        monkeypatch.setenv(name, "true")

        [message] = [each for each in run_checks(tags=["security"]) if each.id == "payments.W002"]

        assert message.msg.startswith(f"{name} is set and not used: ")

    def test_find_a_secret_that_looks_like_something_else(self, site):
        site.STRIPE_WEBHOOK_SECRETS = ["whsec_a", "sk_live_a"]

        assert found() == ["payments.W001"]
