"""Which time a run covers: each begins before the last one ended, so that nothing falls between two."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from payments.operations.reconcile.models import ReconcileRun

# What has changed lately is looked at twice: Stripe's own work may take a day to show.
SHORTEST = timedelta(hours=48)
OVERLAP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Window:
    """From `since` to just before `until`. `is_continued`: it begins where the last one ended."""

    since: datetime
    until: datetime
    is_continued: bool = False

    def on(self, column: str) -> Q:
        """The rows whose moment in this column lies in the window."""
        return Q(**{f"{column}__gte": self.since, f"{column}__lt": self.until})

    @property
    def created(self) -> dict[str, int]:
        """The same for Stripe's lists, in whole seconds, rather a second too much."""
        return {"gte": int(self.since.timestamp()), "lte": int(self.until.timestamp()) + 1}


def next_window(*, at: datetime) -> Window:
    """From before the end of the last run that came to its end, 48 hours at least, until now."""
    done = ReconcileRun.objects.filter(is_continued=True, is_dry_run=False, finished_at__isnull=False)
    last = done.order_by("-until").values_list("until", flat=True).first()
    since = at - SHORTEST
    return Window(min(since, last - OVERLAP) if last else since, at, is_continued=True)
