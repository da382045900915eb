"""`/health` in the words of document 03: the last 24 hours, in numbers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from payments.figures.period import Now, read_now
from payments.figures.recent import Counts, HealthState, read_counts

WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Health:
    """The window that ends at `at`, and when something has last happened (None: never)."""

    at: datetime
    counts: Counts
    last_payment: datetime | None
    last_webhook: datetime | None

    @property
    def state(self) -> HealthState:
        return self.counts.state

    def as_dict(self) -> dict[str, Any]:
        """Under the names of document 03."""
        counts, since = self.counts, self.at - WINDOW
        moments = {"payment": _moment(self.last_payment), "webhook": _moment(self.last_webhook)}
        return {
            "status": self.state,
            "metrics": {
                "totalPayments": counts.payments, "successfulPayments": counts.paid,
                "failedPayments": counts.failed_payments, "declinedPayments": counts.declined_payments,
                "webhookEvents": counts.events, "failedWebhooks": counts.events_failed,
                "lastPaymentAt": moments["payment"], "lastWebhookAt": moments["webhook"],
            },
            "rates": {
                "paymentFailureRate": round(counts.payment_failure_rate, 2),
                "webhookFailureRate": round(counts.webhook_failure_rate, 2),
            },
            "lastActivity": {
                "hasRecentActivity": self.last_webhook is not None and self.last_webhook > since,
                "lastPayment": moments["payment"], "lastWebhook": moments["webhook"],
            },
        }  # fmt: skip


def read_health(*, at: datetime, now: Now | None = None) -> Health:
    """By a few points of the indexes. `now`: for who has read them already."""
    now = now or read_now(at=at)
    return Health(at, read_counts(since=at - WINDOW, at=at), now.last_payment, now.last_event)


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
