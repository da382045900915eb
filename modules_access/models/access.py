"""Who may enter which module: one row for each source that gives access, and none takes what another gave."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from modules_access.models.modules import Module


class AccessType(models.TextChoices):
    """What gives the access."""

    PURCHASE = "purchase", _("Purchase")
    TOKEN = "token", _("Token")
    SUBSCRIPTION = "subscription", _("Subscription")
    GRANT = "grant", _("Given by staff")


class AccessEnd(models.TextChoices):
    """Why an access is no longer active; that it has expired stands in its date."""

    NONE = "", _("not ended")
    REFUNDED = "refunded", _("The money has gone back.")
    DISPUTE_LOST = "dispute_lost", _("The dispute is lost.")
    NOT_PAID = "not_paid", _("Its order is not paid.")
    SUBSCRIPTION_ENDED = "subscription_ended", _("The subscription gives no access any more.")
    NOT_IN_PLAN = "not_in_plan", _("The plan does not open this module.")
    TOKEN_REVOKED = "token_revoked", _("The token is revoked.")
    GRANT_ENDED = "grant_ended", _("What staff had given is taken back.")
    REVOKED = "revoked", _("Taken back by staff.")


class AccessQuerySet(models.QuerySet["ModuleAccess"]):
    """The lists that people ask for."""

    def open(self, at: datetime) -> "AccessQuerySet":
        """Those that let their person in at this moment."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=at), is_active=True).exclude(
            token__used__gte=F("token__max_usage")
        )

    def of(self, user: Any) -> "AccessQuerySet":
        """The person's, with what their lines tell."""
        return self.filter(user=user).select_related("module", "order", "subscription__plan", "token")


class ModuleAccess(models.Model):
    """One access by one source (mission E1). `is_active`: given and not taken back; `expires_at` None: without end.

    A row of type "purchase" belongs to its order, "subscription" to subscription and module, "token" to its token;
    they follow those. A "grant" is its own truth. `revoked_at` and `extended_until` are the word of staff, which stays.
    Who writes rows by hand is helped by the database's own defaults.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="module_accesses", verbose_name=_("user")
    )
    module = models.ForeignKey(Module, models.PROTECT, related_name="accesses", verbose_name=_("module"))
    access_type = models.CharField(_("by"), max_length=20, choices=AccessType.choices)
    order = models.ForeignKey(
        "payments.Order", models.PROTECT, null=True, blank=True, related_name="module_accesses",
        verbose_name=_("order"),
    )  # fmt: skip
    subscription = models.ForeignKey(
        "payments.Subscription", models.CASCADE, null=True, blank=True, related_name="module_accesses",
        verbose_name=_("subscription"),
    )  # fmt: skip
    token = models.OneToOneField(
        "modules_access.AccessToken", models.CASCADE, null=True, blank=True, related_name="access",
        verbose_name=_("token"),
    )  # fmt: skip
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True, db_default=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_reason = models.CharField(
        _("reason it ended"),
        max_length=30,
        choices=AccessEnd.choices,
        blank=True,
        default=AccessEnd.NONE,
        db_default="",
    )
    revoked_at = models.DateTimeField(_("taken back"), null=True, blank=True)
    extended_until = models.DateTimeField(_("extended until"), null=True, blank=True)
    used = models.PositiveBigIntegerField(_("times used"), default=0, db_default=0)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    created_at = models.DateTimeField(_("given"), db_default=Now())
    updated_at = models.DateTimeField(_("changed"), db_default=Now())
    metadata = models.JSONField(_("details"), default=dict, db_default={}, blank=True)

    objects = AccessQuerySet.as_manager()

    class Meta:
        db_table = "module_access"
        verbose_name = _("access")
        verbose_name_plural = _("accesses")
        permissions = [
            ("grant_access", gettext_noop("Can give access without a payment")),
            ("extend_access", gettext_noop("Can extend an access")),
            ("revoke_access", gettext_noop("Can take an access back")),
        ]
        constraints = [
            models.CheckConstraint(
                name="access_has_its_source",
                condition=Q(access_type="purchase", order__isnull=False, subscription__isnull=True, token__isnull=True)
                | Q(access_type="subscription", order__isnull=True, subscription__isnull=False, token__isnull=True)
                | Q(access_type="token", order__isnull=True, subscription__isnull=True, token__isnull=False)
                | Q(access_type="grant", order__isnull=True, subscription__isnull=True, token__isnull=True),
            ),
            models.CheckConstraint(
                name="access_ends_with_a_reason",
                condition=Q(is_active=True, ended_at__isnull=True, ended_reason="")
                | (Q(is_active=False, ended_at__isnull=False) & ~Q(ended_reason="")),
            ),
            models.CheckConstraint(
                name="access_taken_back_stays_so", condition=Q(revoked_at__isnull=True) | Q(is_active=False)
            ),
            models.UniqueConstraint(fields=["order"], name="access_once_an_order", condition=Q(order__isnull=False)),
            models.UniqueConstraint(
                fields=["subscription", "module"], name="access_once_a_subscription",
                condition=Q(subscription__isnull=False),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["user", "module"], name="access_of_user"),
            models.Index(fields=["is_active", "expires_at"], name="access_active"),
            models.Index(fields=["module", "expires_at"], name="access_lets_in", condition=Q(is_active=True)),
            models.Index(fields=["created_at"], name="access_created"),
            # The filters of the staff's list, newest first.
            models.Index(fields=["access_type", "id"], name="access_source"),
            models.Index(fields=["ended_reason", "id"], name="access_ended_because", condition=~Q(ended_reason="")),
            models.Index(fields=["ended_at"], name="access_ended", condition=Q(ended_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """What people quote."""
        return f"A-{self.pk:06d}" if self.pk else "A-new"

    def is_open(self, *, at: datetime) -> bool:
        """Whether it lets its person in at this moment; the token, if any, is read."""
        has_uses = self.token is None or self.token.uses_left > 0
        return self.is_active and has_uses and (self.expires_at is None or at < self.expires_at)
