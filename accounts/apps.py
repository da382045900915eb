"""The lowest app: people who sign in."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Knows no other app of the product."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        # Models can be imported only now.
        roles = import_module("accounts.roles")
        post_migrate.connect(roles.give_rights_after_migrate, dispatch_uid="accounts.give_rights")
