"""Start-up of the emulator: what reacts to timers, what can be included and every address register themselves."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

LIFE: tuple[str, ...] = (
    "checkout",
    "collecting",
    "disputes",
    "invoices",
    "payments",
    "refunds",
    "renewals",
)
RESOURCES: tuple[str, ...] = (
    "account",
    "balance_transactions",
    "billing_portal",
    "charges",
    "checkout_sessions",
    "customers",
    "disputes",
    "events",
    "invoice_payments",
    "invoiceitems",
    "invoices",
    "payment_intents",
    "payment_methods",
    "payment_pages",
    "prices",
    "products",
    "refunds",
    "setup_intents",
    "subscription_items",
    "subscriptions",
    "tokens",
    "webhook_endpoints",
)


class StripeEmulatorConfig(AppConfig):
    """Knows nothing of the product: it speaks to it through HTTP alone, as Stripe does."""

    name = "stripe_emulator"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Stripe emulator")

    def ready(self) -> None:
        import_module("stripe_emulator.checks")
        for module in LIFE:
            import_module(f"stripe_emulator.life.{module}")
        for module in RESOURCES:
            import_module(f"stripe_emulator.api.{module}")
