"""Tokens that let programs in for a person: the row is the grant; a JWT for it is made whenever one is asked for."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from modules_access.models.keys import ServiceKey
from modules_access.models.modules import Module


class AccessToken(models.Model):
    """A grant of so many uses until a date (mission E2). `order` or `grant`: what it rests on; None for both: staff.

    Nothing that could be used is stored: a JWT names the row by `jti`.
    """

    jti = models.UUIDField(_("token"), unique=True, default=uuid.uuid4, editable=False)
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
    access_level = models.CharField(_("level"), max_length=30, default="standard")
    expires_at = models.DateTimeField(_("expires"))
    max_usage = models.PositiveIntegerField(_("uses allowed"), default=100)
    used = models.PositiveIntegerField(_("times used"), default=0)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by")
    )
    service_key = models.ForeignKey(
        ServiceKey, models.SET_NULL, null=True, blank=True, related_name="tokens", verbose_name=_("created with")
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    revoked_by = models.CharField(_("revoked by"), max_length=255, blank=True)
    revoked_reason = models.CharField(_("revoked because"), max_length=500, blank=True)

    class Meta:
        db_table = "access_tokens"
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")
        permissions = [("revoke_token", "Can revoke access tokens")]
        constraints = [
            models.CheckConstraint(name="token_used_at_most", condition=Q(used__lte=F("max_usage"), max_usage__gte=1)),
            models.CheckConstraint(name="token_rests_on_one", condition=Q(order__isnull=True) | Q(grant__isnull=True)),
            models.UniqueConstraint(fields=["order"], name="token_once_an_order", condition=Q(order__isnull=False)),
            models.UniqueConstraint(fields=["grant"], name="token_once_a_grant", condition=Q(grant__isnull=False)),
        ]
        indexes = [models.Index(fields=["user", "module"], name="token_of_user")]

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
