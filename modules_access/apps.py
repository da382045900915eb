"""Start-up of the modules app: registers what it sells, follows, mails, and shows of it."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ModulesAccessConfig(AppConfig):
    """Knows payments; payments does not know it."""

    name = "modules_access"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Learning")

    def ready(self) -> None:
        for module in ("product", "mails", "figures", "repair.repair", "alerts", "personal"):
            import_module(f"modules_access.{module}")
