"""Switches that staff set and workers read each time: event types that are held back, sales that are paused."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class HeldType(models.Model):
    """Events of this type are set aside instead of processed, until the row is removed and they are released."""

    type = models.CharField(_("event type"), max_length=120, primary_key=True)
    held_at = models.DateTimeField(_("since"), auto_now_add=True)
    held_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.CharField(_("reason"), max_length=500)

    class Meta:
        verbose_name = _("held event type")
        verbose_name_plural = _("held event types")

    def __str__(self) -> str:
        return self.type


def held_types() -> frozenset[str]:
    """The event types that are held back now."""
    return frozenset(HeldType.objects.values_list("type", flat=True))
