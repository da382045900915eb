"""Tokens that let programs in for a person, the keys with which programs call us, and how verifications went."""

import uuid
from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from modules_access.models.modules import Module


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
        permissions = [
            ("rotate_servicekey", gettext_noop("Can rotate service keys")),
            ("revoke_servicekey", gettext_noop("Can revoke service keys")),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_valid(self, *, at: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


class AccessToken(models.Model):
    """A grant of so many uses until a date (mission E2). `order` or `grant`: what it rests on; None for both: staff.

    Nothing that could be used is stored: a JWT names the row by `jti`. Who writes rows by hand is helped by the
    database's own defaults.
    """

    jti = models.UUIDField(_("token"), unique=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    external_id = models.CharField(
        _("id in the old system"), max_length=255, null=True, blank=True, unique=True, editable=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="access_tokens", verbose_name=_("user")
    )
    module = models.ForeignKey(Module, models.PROTECT, related_name="tokens", verbose_name=_("module"))
    order = models.ForeignKey(
        "payments.Order", models.PROTECT, null=True, blank=True, related_name="access_tokens", verbose_name=_("order")
    )
    grant = models.ForeignKey(
        "modules_access.ModuleAccess", models.PROTECT, null=True, blank=True, related_name="tokens",
        verbose_name=_("given by staff"),
    )  # fmt: skip
    access_level = models.CharField(_("level"), max_length=30, default="standard", db_default="standard")
    expires_at = models.DateTimeField(_("expires"))
    max_usage = models.PositiveIntegerField(_("uses allowed"), default=100, db_default=100)
    used = models.PositiveIntegerField(_("times used"), default=0, db_default=0)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by")
    )
    service_key = models.ForeignKey(
        ServiceKey, models.SET_NULL, null=True, blank=True, related_name="tokens", verbose_name=_("created with")
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True, default="", db_default="")
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    revoked_by = models.CharField(_("revoked by"), max_length=255, blank=True, default="", db_default="")
    revoked_reason = models.CharField(_("revoked because"), max_length=500, blank=True, default="", db_default="")

    class Meta:
        db_table = "access_tokens"
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")
        permissions = [("revoke_token", gettext_noop("Can revoke access tokens"))]
        constraints = [
            models.CheckConstraint(name="token_used_at_most", condition=Q(used__lte=F("max_usage"), max_usage__gte=1)),
            models.CheckConstraint(name="token_rests_on_one", condition=Q(order__isnull=True) | Q(grant__isnull=True)),
            models.UniqueConstraint(fields=["order"], name="token_once_an_order", condition=Q(order__isnull=False)),
            models.UniqueConstraint(fields=["grant"], name="token_once_a_grant", condition=Q(grant__isnull=False)),
        ]
        indexes = [
            models.Index(fields=["user", "module"], name="token_of_user"),
            # The filters of the staff's lists.
            models.Index(fields=["id"], name="token_used_up", condition=Q(used__gte=F("max_usage"))),
            models.Index(fields=["expires_at"], name="token_expires"),
            models.Index(fields=["revoked_at"], name="token_revoked", condition=Q(revoked_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.prefix

    @property
    def prefix(self) -> str:
        """What people see of it once it was shown."""
        return f"{str(self.jti)[:8]}…"

    @property
    def uses_left(self) -> int:
        """How often it can still be used."""
        return max(0, self.max_usage - self.used)

    def is_usable(self, *, at: datetime) -> bool:
        """Not revoked, not expired, not used up."""
        return self.revoked_at is None and at < self.expires_at and self.uses_left > 0


class PassUse(models.Model):
    """A pass that has let somebody in, kept as long as it would have been valid: it does so once.

    `key`: who asked (None: the demo room).
    """

    jti = models.UUIDField(_("pass"), primary_key=True)
    key = models.ForeignKey(ServiceKey, models.CASCADE, null=True, related_name="+", verbose_name=_("service key"))
    used_at = models.DateTimeField(_("used"))
    expires_at = models.DateTimeField(_("expires"), db_index=True)

    class Meta:
        verbose_name = _("used pass")
        verbose_name_plural = _("used passes")

    def __str__(self) -> str:
        return str(self.jti)


class TokenChecks(models.Model):
    """So many verifications of one hour ended like this. `outcome` "ok", or the code of the refusal.

    `slot` spreads simultaneous counts over several rows; `micros`: the time that they took together; `buckets`: how
    many took at most as long as BUCKET_BOUNDS_MS in modules_access/figures.py.
    """

    hour = models.DateTimeField(_("hour"))
    outcome = models.CharField(_("outcome"), max_length=30)
    slot = models.PositiveSmallIntegerField(default=0)
    number = models.PositiveBigIntegerField(_("number"), default=0)
    micros = models.PositiveBigIntegerField(_("time taken"), default=0)
    buckets = ArrayField(models.PositiveBigIntegerField(), default=list)

    class Meta:
        verbose_name = _("verifications of an hour")
        verbose_name_plural = _("verifications by the hour")
        constraints = [models.UniqueConstraint(fields=["hour", "outcome", "slot"], name="checks_once_a_slot")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H} {self.outcome}: {self.number}"
