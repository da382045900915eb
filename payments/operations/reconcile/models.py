"""What each reconciliation compared, found and did: kept, so that completeness can be shown afterwards."""

from django.db import models
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext


class ReconcileRun(models.Model):
    """One run over the window from `since` to `until`. `finished_at` None: it is under way, or it was cut short.

    `findings`: the first of them, each with `subject`, `what`, `here`, `at_stripe` and `done`.
    """

    started_at = models.DateTimeField(gettext_lazy("started"))
    finished_at = models.DateTimeField(gettext_lazy("finished"), null=True, blank=True)
    since = models.DateTimeField(gettext_lazy("from"))
    until = models.DateTimeField(gettext_lazy("up to"))
    # The window was not asked for but worked out: the next one begins where this one ended.
    is_continued = models.BooleanField(gettext_lazy("goes on from the one before"), default=False)
    is_dry_run = models.BooleanField(gettext_lazy("only looked"), default=False)
    by = models.CharField(gettext_lazy("by"), max_length=255, blank=True)
    counts = models.JSONField(gettext_lazy("counts"), default=dict, blank=True)
    findings = models.JSONField(gettext_lazy("findings"), default=list, blank=True)
    error = models.CharField(gettext_lazy("error"), max_length=500, blank=True)

    class Meta:
        verbose_name = gettext_lazy("reconciliation")
        verbose_name_plural = gettext_lazy("reconciliations")
        ordering = ["-started_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"

    @property
    def sentence(self) -> str:
        """The whole run in one sentence for people."""
        told = {name: self.counts.get(name, 0) for name in ("compared", "put_right", "for_a_person", "missing")}
        parts = [
            ngettext("%(n)d object compared", "%(n)d objects compared", told["compared"]) % {"n": told["compared"]},
            self._put_right(told["put_right"]),
            ngettext("%(n)d needs a person", "%(n)d need a person", told["for_a_person"]) % {"n": told["for_a_person"]},
            _("%(n)d missing") % {"n": told["missing"]},
        ]
        return f"{', '.join(parts)}; {self._end()}."

    def _put_right(self, count: int) -> str:
        said = _("%(n)d to be put right") if self.is_dry_run else _("%(n)d put right")
        return said % {"n": count}

    def _end(self) -> str:
        if self.finished_at is None:
            return _("not finished")
        return _("complete up to %(moment)s") % {
            "moment": date_format(localtime(self.until), "SHORT_DATETIME_FORMAT"),
        }
