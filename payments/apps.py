"""Start-up of the payments app: handlers, checks and effect deliverers register themselves here."""

from importlib import import_module

import structlog
from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from payments.sql import WorkLogger

HANDLERS = ("charge", "checkout_session", "health", "payment_intent", "subscription")


class PaymentsConfig(AppConfig):
    """Payments know no product: what is sold registers itself from its own app."""

    name = "payments"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Payments")

    def ready(self) -> None:
        structlog.configure(wrapper_class=WorkLogger)
        for module in HANDLERS:
            import_module(f"payments.handlers.{module}")
        for module in (
            "alerts.money",
            "alerts.road",
            "alerts.stripe_side",
            "alerts.tell",
            "apply.undelivered",
            "checks",
            "billing.alerts",
            "billing.mails",
            "billing.money_mails",
            "effects.clock_alert",
            "figures.check",
            "health.metrics",
            "incidents.alerts",
            "incidents.mails",
            "orders.mails",
            "pages.own_orders",
            "people.knows",
            "processing.process",
            "reconcile.unfinished",
            "refunds.refund",
            "resync.on_return",
            "resync.untold",
            "subscribing.product",
        ):
            import_module(f"payments.{module}")
