"""What must hold before this site may take money, said by `manage.py check` and before each command.

The sentences are English there; the validation of the set-up says the same in the reader's language.
"""

import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.utils.translation import gettext_noop

MIN_KEY_LENGTH, MIN_KEY_CHARACTERS, MADE_BY_STARTPROJECT = 50, 5, "django-insecure-"
NO_SECRET = Error(
    gettext_noop("No webhook secret is configured: every delivery from Stripe gets 503."),
    hint=gettext_noop("Set STRIPE_WEBHOOK_SECRET, or STRIPE_WEBHOOK_SECRET_FILE, to the endpoint's secret (whsec_…)."),
    id="payments.E001",
)
UNSIGNED = Error(
    gettext_noop("Webhooks are taken without a signature: anybody can mark orders as paid."),
    hint=gettext_noop("Remove STRIPE_WEBHOOK_UNSIGNED; it is for ENVIRONMENT=development alone."),
    id="payments.E002",
)
TEST_KEY = Error(
    gettext_noop("Production has a Stripe key of test mode: buyers would pay nothing."),
    hint=gettext_noop("STRIPE_SECRET_KEY must begin with sk_live_ or rk_live_."),
    id="payments.E003",
)
LIVE_KEY = Error(
    gettext_noop("A Stripe key of live mode outside production: trying things out would move real money."),
    hint=gettext_noop("Replace STRIPE_SECRET_KEY by a key that begins with sk_test_ or rk_test_."),
    id="payments.E004",
)
NO_ALERT_ADDRESS = Error(
    gettext_noop("Nobody is told when money needs a person: there is no address for alerts."),
    hint=gettext_noop("Set STRIPE_ALERT_EMAIL to one or several addresses."),
    id="payments.E005",
)
WEAK_SECRET_KEY = Error(
    gettext_noop("SECRET_KEY can be guessed: whoever has it signs sessions and links in anybody's name."),
    hint=gettext_noop("Take 50 or more random characters, for example from `openssl rand -base64 48`."),
    id="payments.E006",
)
ODD_SECRET = Warning(
    gettext_noop("A webhook secret does not begin with whsec_, so it is probably something else."),
    hint=gettext_noop("Copy the endpoint's signing secret from the Stripe Dashboard; several are separated by commas."),
    id="payments.W001",
)
IS_UNUSED = gettext_noop("%(name)s is set and not used: %(why)s.")
UNUSED = {
    "STRIPE_PUBLISHABLE_KEY": gettext_noop("buyers pay on Stripe's own pages, which need no key of ours"),
    "STRIPE_MONITORING_ENABLED": gettext_noop("monitoring is always on; STRIPE_ALERT_EMAIL says who gets the alerts"),
    "STRIPE_WEBHOOK_URL": gettext_noop(
        "the addresses for Stripe's events are fixed: SITE_URL with /stripe/webhooks behind it"
    ),
}


@register(Tags.security)
def settings_are_used(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Whoever sets one of these believes that it does something."""
    return [Warning(IS_UNUSED % {"name": name, "why": UNUSED[name]}, id="payments.W002") for name in unused_settings()]


def unused_settings() -> list[str]:
    """Names that are set and mean nothing here."""
    return [name for name in UNUSED if name in os.environ]


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
    wrong_key = wrong_key_fault()
    if not settings.PRODUCTION:
        return [wrong_key] if wrong_key else []
    faults = (
        (NO_ALERT_ADDRESS, not settings.STRIPE_ALERT_EMAIL),
        (WEAK_SECRET_KEY, _can_be_guessed(settings.SECRET_KEY)),
    )
    found = _missing_secret() + ([wrong_key] if wrong_key else [])
    return found + [fault for fault, is_so in faults if is_so]


def is_live_key() -> bool | None:
    """Whether the key is of live mode; None where its form does not say."""
    kind, _sign, rest = settings.STRIPE_SECRET_KEY.partition("_")
    mode = rest.partition("_")[0] if kind in ("sk", "rk") else ""
    return {"live": True, "test": False}.get(mode)


def wrong_key_fault() -> CheckMessage | None:
    """That the key is of the mode which this environment must not have."""
    is_live = is_live_key()
    if is_live is None or is_live == settings.PRODUCTION:
        return None
    return LIVE_KEY if is_live else TEST_KEY


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
