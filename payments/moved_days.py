"""The days whose figures have moved: marked in the transaction that moves them, worked off by `payments.figures`."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class MovedDay(models.Model):
    """Something that counts on this day of the site's zone has changed; what it is is found in the rows themselves.

    Marks are only ever inserted: nobody waits for another's, and none is taken for one that has been worked off
    already. Who recomputes a day deletes the very marks that it could see before it read the rows.
    """

    day = models.DateField()

    class Meta:
        verbose_name = _("day that has moved")
        verbose_name_plural = _("days that have moved")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.day} ({self.pk})"
