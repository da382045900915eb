"""How far Stripe's list of events has been walked, and what each walk has found missing."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

REASON_MAX_LENGTH = 500


class BackfillState(models.TextChoices):
    """How the last walk ended. Whatever it was, the next one goes on where it stopped."""

    COMPLETE = "complete", gettext_lazy("complete")
    BEHIND = "behind", gettext_lazy("more than one run reads")
    WAITING = "waiting", gettext_lazy("Stripe asks us to wait")
    FAILED = "failed", gettext_lazy("Stripe did not answer, or refused")


class BackfillMark(models.Model):
    """The one row that says for which time we vouch: every event from `complete_from` to `complete_up_to` is here.

    `types`: of which types. `missing`: how many the last walk had to take in. `wait_until`: Stripe is not asked before.
    """

    complete_from = models.DateTimeField(null=True)
    complete_up_to = models.DateTimeField(null=True)
    types = ArrayField(models.CharField(max_length=120), default=list)
    last_run_at = models.DateTimeField()
    missing = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=BackfillState.choices, default=BackfillState.COMPLETE)
    wait_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = gettext_lazy("completeness")
        verbose_name_plural = gettext_lazy("completeness")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.complete_up_to:%Y-%m-%d %H:%M}" if self.complete_up_to else "–"

    @classmethod
    def current(cls, *, at: datetime) -> "BackfillMark":
        """The row, or a new one that is not kept yet."""
        return cls.objects.first() or cls(pk=1, last_run_at=at)

    @property
    def sentence(self) -> str:
        """For people: "Complete up to 14:05, 0 missing." """
        if self.complete_up_to is None:
            return _("Stripe’s list of events has not been walked yet.")
        parts = [_complete(self.complete_up_to, self.missing)]
        if self.state != BackfillState.COMPLETE:
            parts.append(_("the last walk: %(state)s") % {"state": self.get_state_display()})
        return f"{'; '.join(parts)}."


class BackfillRun(models.Model):
    """One walk over the events from `since` to `until`; `reached`: how far it came. `ended_at` None: it runs or died.

    `missing`: so many were not here. `gap`: those of them that a delivery should have brought. `events`: the
    first of them, each with `id`, `type`, `occurred_at` and `trouble` ("": it can be taken in). `unlisted_since`: what
    happened from then to `since` Stripe lists no more.
    """

    started_at = models.DateTimeField(gettext_lazy("started"))
    ended_at = models.DateTimeField(gettext_lazy("ended"), null=True, blank=True)
    since = models.DateTimeField(gettext_lazy("from"))
    until = models.DateTimeField(gettext_lazy("up to"))
    reached = models.DateTimeField(gettext_lazy("came as far as"), null=True, blank=True)
    unlisted_since = models.DateTimeField(gettext_lazy("no longer listed from"), null=True, blank=True)
    is_dry_run = models.BooleanField(gettext_lazy("only looked"), default=False)
    by = models.CharField(gettext_lazy("by"), max_length=255, blank=True)
    requests = models.PositiveIntegerField(gettext_lazy("questions to Stripe"), default=0)
    seen = models.PositiveIntegerField(gettext_lazy("events listed"), default=0)
    missing = models.PositiveIntegerField(gettext_lazy("missing"), default=0)
    gap = models.PositiveIntegerField(gettext_lazy("missing for minutes"), default=0)
    events = models.JSONField(gettext_lazy("missing events"), default=list, blank=True)
    finished = models.BooleanField(gettext_lazy("came to its end"), default=False)
    reason = models.CharField(gettext_lazy("reason"), max_length=REASON_MAX_LENGTH, blank=True)

    class Meta:
        verbose_name = gettext_lazy("check of completeness")
        verbose_name_plural = gettext_lazy("checks of completeness")
        ordering = ["-started_at", "-pk"]
        indexes = [
            # What alerts ask for; most walks find nothing.
            models.Index(fields=["started_at"], name="backfill_gap", condition=models.Q(gap__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"

    @property
    def sentence(self) -> str:
        """The whole walk in one sentence for people."""
        parts = [_complete(self.reached, self.missing)] if self.reached else []
        if self.missing and not self.gap:
            parts.append(_("none of them was overdue"))
        if not self.finished:
            parts.append(self.why_not)
        return f"{'; '.join(parts).removesuffix('.')}."

    @property
    def why_not(self) -> str:
        """Why it has not come to its end."""
        if self.ended_at is None:
            return _("under way, or cut short")
        return _("not finished: %(reason)s") % {"reason": _(self.reason) if self.reason else "–"}

    @property
    def unlisted(self) -> str:
        """What nobody can list any more; "" for nothing."""
        if self.unlisted_since is None:
            return ""
        told = {"since": _moment(self.unlisted_since), "until": _moment(self.since)}
        return (
            _("Events of %(since)s to %(until)s can no longer be listed: reconcile covers what they were about.") % told
        )


def _complete(up_to: datetime, missing: int) -> str:
    said = ngettext("Complete up to %(moment)s, %(n)d missing", "Complete up to %(moment)s, %(n)d missing", missing)
    return said % {"moment": _moment(up_to), "n": missing}


def _moment(moment: datetime) -> str:
    return date_format(localtime(moment), "SHORT_DATETIME_FORMAT")
