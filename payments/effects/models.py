"""An effect is a mail, an alert or a refund that a change asked for: one row per unique key, ever."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from payments.statuses import EffectStatus


class Effect(models.Model):
    """Noted in the transaction of the change, delivered later; the unique key makes it happen at most once."""

    key = models.CharField(_("key"), max_length=255, unique=True)
    kind = models.CharField(_("kind"), max_length=80)
    order = models.ForeignKey(
        "payments.Order",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="effects",
        verbose_name=_("order"),
    )
    # Beside the order that began it, if one did.
    subscription = models.ForeignKey(
        "payments.Subscription", models.CASCADE, null=True, blank=True, related_name="effects",
        verbose_name=_("subscription"),
    )  # fmt: skip
    data = models.JSONField(_("data"), default=dict, blank=True)
    # The event and the request that brought it about, for the log lines of its delivery.
    cause = models.JSONField(_("caused by"), default=dict, db_default={}, blank=True)
    status = models.CharField(_("state"), max_length=10, choices=EffectStatus.choices, default=EffectStatus.PENDING)
    not_before = models.DateTimeField(_("not before"))
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    claimed_at = models.DateTimeField(_("claimed"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=500, blank=True)
    # Of a mail, as it went out: `to`, `subject`, `text`, its links cut; None: none went out, or nobody kept it.
    sent = models.JSONField(_("as sent"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("effect")
        verbose_name_plural = _("effects")
        indexes = [
            models.Index(fields=["not_before", "id"], name="effect_due", condition=Q(status=EffectStatus.PENDING)),
            models.Index(fields=["claimed_at"], name="effect_claimed", condition=Q(status=EffectStatus.CLAIMED)),
            # The filter of the staff's list; most are delivered.
            models.Index(fields=["status", "id"], name="effect_not_done", condition=~Q(status=EffectStatus.DONE)),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def delivery_at(self) -> datetime:
        """The moment at which it is delivered: what it tells must be true then."""
        return self.claimed_at or timezone.now()
