"""The roll-ups: what one day of the site's zone has brought, and how fresh that is (docs/adr/0015-figures.md)."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop


class DailyFigure(models.Model):
    """One figure of one day: how often, and for money how much (minor units of `currency`).

    `figure`: one of payments/figures/daily.py, or of a product. `currency`: "" for what is no money. `part`: of which
    city, kind of order, source, bucket of lag; "" where there is only the whole.
    """

    day = models.DateField()
    figure = models.CharField(max_length=30)
    currency = models.CharField(max_length=3, blank=True)
    part = models.CharField(max_length=200, blank=True)
    count = models.BigIntegerField()
    amount = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("daily figure")
        verbose_name_plural = _("daily figures")
        default_permissions = ()
        permissions = [("view_dashboard", gettext_noop("Can see the dashboard"))]
        constraints = [models.UniqueConstraint(fields=["figure", "day", "currency", "part"], name="figure_once")]
        indexes = [models.Index(fields=["day"], name="figure_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.figure} {self.currency} {self.part}"


class FiguresState(models.Model):
    """The one row that says how fresh the figures are. `took_ms`: how long counting took last.

    `stock`: what there is at this moment, people and subscriptions (payments/figures/stock.py).
    """

    refreshed_at = models.DateTimeField()
    took_ms = models.PositiveIntegerField(default=0)
    stock = models.JSONField(default=dict)
    stock_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("state of the figures")
        verbose_name_plural = _("state of the figures")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.refreshed_at:%Y-%m-%d %H:%M:%S}"
