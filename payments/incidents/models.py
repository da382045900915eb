"""An incident: which switches it has thrown, how things stood before, how far its closing has come, what came of it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import IsNull
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop


class IncidentState(models.TextChoices):
    """CLOSING: somebody has said that it is over, and what was missed is being made up for."""

    OPEN = "OPEN", _("Open")
    CLOSING = "CLOSING", _("Being closed")
    CLOSED = "CLOSED", _("Closed")


class ClosingStep(models.TextChoices):
    """What closing does next; each is safe to be done again."""

    ENDPOINTS = "endpoints", _("enable the endpoints at Stripe")
    BACKFILL = "backfill", _("fetch what no delivery has brought")
    RELEASE = "release", _("release what was held back")
    DRAIN = "drain", _("process what waits, the oldest first")
    SALES = "sales", _("sell again")
    REPORT = "report", _("write the report")


class Incident(models.Model):
    """At most one is not closed. `opened_by`, `closed_by`: a person, or what a command was told.

    `held`: the event types that it holds back ("*": all), each a HeldType that names it; `endpoints`: those at Stripe
    that it has disabled. `before`, `report`: see payments/incidents/report.py. `walked_to`: so far the closing's
    back-fill has come; `drained` of `to_drain`: how many waiting events it has processed. `trouble`: what has cut the
    closing short last; "" while all goes well.
    """

    reason = models.CharField(_("reason"), max_length=500)
    opened_at = models.DateTimeField(_("opened"))
    opened_by = models.CharField(_("opened by"), max_length=255)
    ends_at = models.DateTimeField(_("expected end"), null=True, blank=True)
    pauses_sales = models.BooleanField(_("sales paused"), default=False)
    sales_resumed_at = models.DateTimeField(_("sold again since"), null=True, blank=True)
    held = ArrayField(models.CharField(max_length=120), verbose_name=_("event types held back"), default=list)
    endpoints = ArrayField(models.CharField(max_length=255), verbose_name=_("endpoints disabled"), default=list)
    notifies_people = models.BooleanField(_("people told"), default=False)
    before = models.JSONField(default=dict)

    state = models.CharField(_("state"), max_length=10, choices=IncidentState.choices, default=IncidentState.OPEN)
    step = models.CharField(max_length=10, choices=ClosingStep.choices, default=ClosingStep.ENDPOINTS)
    closing_at = models.DateTimeField(_("closing since"), null=True, blank=True)
    closed_by = models.CharField(_("closed by"), max_length=255, blank=True)
    closed_reason = models.CharField(_("why it is over"), max_length=500, blank=True)
    walked_to = models.DateTimeField(null=True, blank=True)
    to_drain = models.PositiveIntegerField(default=0)
    drained = models.PositiveIntegerField(default=0)
    trouble = models.CharField(_("cut short by"), max_length=500, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    report = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        default_permissions = ("view",)
        permissions = [
            ("open_incident", gettext_noop("Can open an incident")),
            ("close_incident", gettext_noop("Can close an incident")),
        ]
        constraints = [
            # Also the index by which the open one is found.
            models.UniqueConstraint(
                IsNull(F("closed_at"), True), name="incident_open_once", condition=Q(closed_at__isnull=True)
            ),
            models.CheckConstraint(
                name="incident_closed_with_a_date",
                condition=Q(state="CLOSED", closed_at__isnull=False) | (~Q(state="CLOSED") & Q(closed_at__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{_('Incident')} {self.pk}"

    @property
    def is_closed(self) -> bool:
        return self.state == IncidentState.CLOSED

    @property
    def is_selling(self) -> bool:
        """Whether one may buy."""
        return not self.pauses_sales or self.sales_resumed_at is not None or self.is_closed

    @property
    def holds_all(self) -> bool:
        return "*" in self.held
