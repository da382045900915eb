"""What must hold before this site may take money, said by `manage.py check` and before each command."""

import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

MIN_KEY_LENGTH, MIN_KEY_CHARACTERS, MADE_BY_STARTPROJECT = 50, 5, "django-insecure-"
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
NO_ALERT_ADDRESS = Error(
    "Nobody is told when money needs a person: there is no address for alerts.",
    hint="Set STRIPE_ALERT_EMAIL to one or several addresses.",
    id="payments.E005",
)
WEAK_SECRET_KEY = Error(
    "SECRET_KEY can be guessed: whoever has it signs sessions and links in anybody's name.",
    hint="Take 50 or more random characters, for example from `openssl rand -base64 48`.",
    id="payments.E006",
)
ODD_SECRET = Warning(
    "A webhook secret does not begin with whsec_, so it is probably something else.",
    hint="Copy the endpoint's signing secret from the Stripe Dashboard; several are separated by commas.",
    id="payments.W001",
)
UNUSED = {
    "STRIPE_PUBLISHABLE_KEY": "buyers pay on Stripe's own pages, which need no key of ours",
    "STRIPE_MONITORING_ENABLED": "monitoring is always on; STRIPE_ALERT_EMAIL says who gets the alerts",
    "STRIPE_WEBHOOK_URL": "the addresses for Stripe's events are fixed: SITE_URL with /stripe/webhooks behind it",
}


@register(Tags.security)
def settings_are_used(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Whoever sets one of these believes that it does something."""
    given = (name for name in UNUSED if name in os.environ)
    return [Warning(f"{name} is set and not used: {UNUSED[name]}.", id="payments.W002") for name in given]


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
    """In production there are secrets and an address for alerts, and the key is none of test mode; elsewhere none of
    live mode.
    """
    if not settings.PRODUCTION:
        is_live = settings.STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))
        return [LIVE_KEY] if is_live else []
    is_test = settings.STRIPE_SECRET_KEY.startswith(("sk_test_", "rk_test_"))
    faults = (
        (TEST_KEY, is_test),
        (NO_ALERT_ADDRESS, not settings.STRIPE_ALERT_EMAIL),
        (WEAK_SECRET_KEY, _can_be_guessed(settings.SECRET_KEY)),
    )
    return _missing_secret() + [fault for fault, is_so in faults if is_so]


def _can_be_guessed(key: str) -> bool:
    """Django's own measure (security.W009)."""
    is_long = len(key) >= MIN_KEY_LENGTH and len(set(key)) >= MIN_KEY_CHARACTERS
    return not is_long or key.startswith(MADE_BY_STARTPROJECT)


@register(Tags.security, deploy=True)
def deployment_has_a_secret(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """`check --deploy` asks the same of a machine that is not production yet."""
    return [] if settings.PRODUCTION else _missing_secret()


def _missing_secret() -> list[CheckMessage]:
    return [] if settings.STRIPE_WEBHOOK_SECRETS else [NO_SECRET]
