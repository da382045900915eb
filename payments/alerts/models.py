"""An alert is one incident: it opens when a rule finds something, and closes when the rule finds it no more."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from payments.alerts.rules import AlertSeverity, find_rule
from payments.money import with_amounts

if TYPE_CHECKING:
    from payments.alerts.rules import Rule


class Alert(models.Model):
    """One incident. `text`: an English sentence, translated when it is read, which takes `values`: as last seen.

    `times`: how often it has opened; what comes back soon is the same incident (`Rule.cool_down`).
    """

    rule = models.CharField(_("what"), max_length=60)
    subject = models.CharField(_("about"), max_length=255, blank=True)
    severity = models.CharField(_("severity"), max_length=10, choices=AlertSeverity.choices)
    text = models.CharField(max_length=500)
    values = models.JSONField(default=dict, blank=True)
    page = models.CharField(max_length=200, blank=True)
    opened_at = models.DateTimeField(_("since"))
    seen_at = models.DateTimeField(_("last seen"))
    closed_at = models.DateTimeField(_("over since"), null=True, blank=True)
    times = models.PositiveIntegerField(_("times"), default=1)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "subject"], name="alert_open_once", condition=Q(closed_at__isnull=True)
            )
        ]
        indexes = [
            models.Index(fields=["rule", "subject", "closed_at"], name="alert_of_rule"),
            models.Index(fields=["opened_at"], name="alert_opened"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.pk})"

    @property
    def kind(self) -> "Rule | None":
        """The rule that has found it; None where this version does not know it."""
        return find_rule(self.rule)

    @property
    def title(self) -> str:
        """What is wrong, in a few words."""
        return str(self.kind.title) if self.kind else self.rule

    @property
    def sentence(self) -> str:
        """What is wrong, in the reader's language."""
        if not self.values:
            return gettext(self.text)
        said = {name: gettext(value["msgid"]) for name, value in self.values.items() if _is_text(value)}
        return gettext(self.text) % with_amounts({**self.values, **said})

    @property
    def remedy(self) -> str | Promise:
        """What to do about it; "" where nobody knows."""
        return self.kind.remedy if self.kind else ""


def _is_text(value: object) -> bool:
    """Whether it is a text of ours, to be translated (payments.alerts.rules.words)."""
    return isinstance(value, dict) and "msgid" in value
