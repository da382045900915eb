"""Start-up of the registrations app: registers what it sells, mails, and shows of it in an account."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RegistrationsConfig(AppConfig):
    """Knows payments; payments does not know it."""

    name = "registrations"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Registrations")

    def ready(self) -> None:
        for module in ("product", "mails", "invitations", "services.check_places", "alerts", "personal"):
            import_module(f"registrations.{module}")
