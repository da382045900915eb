"""How verifications went: counted by hour and outcome, exact under any number of processes."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class TokenChecks(models.Model):
    """So many verifications of one hour ended like this. `outcome` "ok", or the code of the refusal.

    `slot` spreads simultaneous counts over several rows; `micros`: the time that they took together; `buckets`: how
    many took at most as long as the bounds of modules_access/figures.py say.
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
