"""What must hold before this site may take money, said by `manage.py check` and before each command."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

NO_SECRET = Error(
    "No webhook secret is configured: every delivery from Stripe gets 503.",
    hint="Set STRIPE_WEBHOOK_SECRET, or STRIPE_WEBHOOK_SECRET_FILE, to the endpoint's secret (whsec_…).",
    id="payments.E001",
)
UNSIGNED = Error(
    "Webhooks are taken without a signature: anybody can mark orders as paid.",
    hint="Remove STRIPE_WEBHOOK_UNSIGNED; it is for ENVIRONMENT=development alone.",
    id="payments.E002",
)
TEST_KEY = Error(
    "Production has a Stripe key of test mode: buyers would pay nothing.",
    hint="STRIPE_SECRET_KEY must begin with sk_live_ or rk_live_.",
    id="payments.E003",
)
LIVE_KEY = Error(
    "A Stripe key of live mode outside production: trying things out would move real money.",
    hint="Replace STRIPE_SECRET_KEY by a key that begins with sk_test_ or rk_test_.",
    id="payments.E004",
)
ODD_SECRET = Warning(
    "A webhook secret does not begin with whsec_, so it is probably something else.",
    hint="Copy the endpoint's signing secret from the Stripe Dashboard; several are separated by commas.",
    id="payments.W001",
)


@register(Tags.security)
def webhook_is_signed(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Signatures are off nowhere but in development, and secrets look like secrets."""
    found: list[CheckMessage] = []
    if settings.STRIPE_WEBHOOK_UNSIGNED and settings.ENVIRONMENT != "development":
        found.append(UNSIGNED)
    if not all(secret.startswith("whsec_") for secret in settings.STRIPE_WEBHOOK_SECRETS):
        found.append(ODD_SECRET)
    return found


@register(Tags.security)
def production_is_live(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """In production there is a webhook secret, and the key is none of test mode; elsewhere it is none of live mode."""
    if not settings.PRODUCTION:
        is_live = settings.STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))
        return [LIVE_KEY] if is_live else []
    is_test = settings.STRIPE_SECRET_KEY.startswith(("sk_test_", "rk_test_"))
    return _missing_secret() + ([TEST_KEY] if is_test else [])


@register(Tags.security, deploy=True)
def deployment_has_a_secret(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """`check --deploy` asks the same of a machine that is not production yet."""
    return [] if settings.PRODUCTION else _missing_secret()


def _missing_secret() -> list[CheckMessage]:
    return [] if settings.STRIPE_WEBHOOK_SECRETS else [NO_SECRET]
