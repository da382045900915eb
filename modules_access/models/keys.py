"""The keys with which other programs call us: only a hash is kept (docs/adr/0011-module-access.md)."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    """What a key is for."""

    GENERATE = "tokens:generate", _("make tokens")
    VERIFY = "tokens:verify", _("verify tokens")
    REVOKE = "tokens:revoke", _("revoke tokens")


class ServiceKey(models.Model):
    """One key: `prefix` finds it, `digest` (SHA-256 of the whole key) proves it. `module` None: for all modules."""

    name = models.CharField(_("name"), max_length=100, help_text=_("Which program uses it."))
    prefix = models.CharField(_("begins with"), max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(models.CharField(max_length=30, choices=Scope.choices), verbose_name=_("rights"))
    module = models.ForeignKey(
        "modules_access.Module", models.PROTECT, null=True, blank=True, related_name="service_keys",
        verbose_name=_("only for the module"),
    )  # fmt: skip
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by")
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    revoked_reason = models.CharField(_("revoked because"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("service key")
        verbose_name_plural = _("service keys")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_valid(self, *, at: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)
