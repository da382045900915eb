"""A replay of many events: what somebody asked for, and how far the workers have come with it."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ReplayState(models.TextChoices):
    """STOPPED: at an event that failed again; CANCELED: by a person. Both can be gone on with."""

    RUNNING = "RUNNING", _("Running")
    DONE = "DONE", _("Done")
    STOPPED = "STOPPED", _("Stopped at an error")
    CANCELED = "CANCELED", _("Canceled")


class ReplayRun(models.Model):
    """Events in the order in which they happened, replayed batch by batch; each batch and these numbers are one commit.

    `event_ids`: all of them, chosen when it began; `position`: how many of them are behind us, of which `healed` were
    processed (or ignored, or are held back), `failed` failed again, and the rest were in a worker's hand or are gone.
    """

    started_at = models.DateTimeField(_("started"))
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    source = models.CharField(_("from"), max_length=60, blank=True)
    reason = models.CharField(_("why"), max_length=500)
    selection = models.JSONField(_("selection"), default=dict)
    event_ids = ArrayField(models.BigIntegerField(), editable=False)
    total = models.PositiveIntegerField(_("events"))
    position = models.PositiveIntegerField(default=0, editable=False)
    healed = models.PositiveIntegerField(_("processed"), default=0)
    failed = models.PositiveIntegerField(_("failed again"), default=0)
    stops_at_error = models.BooleanField(_("stops at the first error"), default=True)
    state = models.CharField(_("state"), max_length=10, choices=ReplayState.choices, default=ReplayState.RUNNING)
    next_batch_at = models.DateTimeField(editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    failed_event = models.ForeignKey(
        "payments.PaymentEvent", models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("last failed event"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("replay")
        verbose_name_plural = _("replays")
        indexes = [
            models.Index(fields=["next_batch_at", "id"], name="replay_running", condition=Q(state=ReplayState.RUNNING))
        ]

    def __str__(self) -> str:
        return f"{_('Replay')} {self.pk}"

    @property
    def left(self) -> int:
        """How many it has not come to."""
        return self.total - self.position

    @property
    def passed_over(self) -> int:
        """How many a worker had in hand at that moment, or are gone."""
        return self.position - self.healed - self.failed

    @property
    def percent(self) -> int:
        """How much of it is behind us."""
        return 100 * self.position // self.total if self.total else 100
