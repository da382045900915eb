"""The emulator never stands where real money is."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

IN_PRODUCTION = Error(
    "The Stripe emulator is switched on in production: orders would be paid with money that does not exist.",
    hint="Remove STRIPE_EMULATOR.",
    id="stripe_emulator.E001",
)
LIVE_KEY = Error(
    "The Stripe emulator is switched on beside a live key: nobody could tell which payments are real.",
    hint="Remove STRIPE_EMULATOR, or replace STRIPE_SECRET_KEY by a key that begins with sk_test_.",
    id="stripe_emulator.E002",
)


@register(Tags.security)
def never_beside_real_money(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Neither under the settings of production nor beside a key of live mode."""
    found: list[CheckMessage] = []
    if settings.PRODUCTION or settings.STRIPE_LIVEMODE:
        found.append(IN_PRODUCTION)
    if settings.STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_", "sk_org_live_")):
        found.append(LIVE_KEY)
    return found
