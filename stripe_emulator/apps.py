"""Start-up of the emulator: everything registers itself, and it never stands where real money is."""

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.utils.translation import gettext_lazy as _

# They register timers, observers, expandable fields and routes when they are imported.
REGISTERING = (
    "api.account", "api.catalogue", "api.charges", "api.checkout", "api.customers", "api.events", "api.invoices",
    "api.payments", "api.subscriptions", "behaviour.checkout", "behaviour.disputes", "behaviour.invoice_collection",
    "behaviour.payment_intents", "behaviour.payouts", "behaviour.refunds", "behaviour.renewals",
)  # fmt: skip
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


class StripeEmulatorConfig(AppConfig):
    """Knows nothing of the product: it speaks to it through HTTP alone, as Stripe does."""

    name = "stripe_emulator"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Stripe emulator")

    def ready(self) -> None:
        for module in REGISTERING:
            import_module(f"stripe_emulator.{module}")
