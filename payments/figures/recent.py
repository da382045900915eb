"""How well payments went of late, by the rows themselves: healthy, degraded or critical (document 03, mission D6).

A bank's refusal is no failure of ours: declined cards are counted apart, and move no rate. A rate of few says nothing:
below the sample it is told, but changes no state.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import connection

from payments.statuses import EVENT_DONE, EVENT_FAILING, EventStatus

# Of more than that in the window, the newest: so that it costs the same on a site of any size.
MOST_LOOKED_AT = 10_000
SAMPLE = 20
# Percent above which a rate is bad, and very bad.
PAYMENTS_DEGRADED, PAYMENTS_CRITICAL = 10.0, 25.0
WEBHOOKS_DEGRADED, WEBHOOKS_CRITICAL = 5.0, 15.0
# What of a failed payment is not the bank's answer: https://docs.stripe.com/api/errors
NOT_THE_BANK = ("api_error", "invalid_request_error", "idempotency_error")
# A buyer who did not pass 3-D Secure: the same word for both.
NOT_AUTHENTICATED = "payment_intent_authentication_failure"
FAILED_PAYMENTS = ("payment_intent.payment_failed", "invoice.payment_failed")
COUNT = """
    WITH newest AS MATERIALIZED (
        SELECT status, CASE WHEN type = ANY(%(failed_types)s) AND status = %(processed)s
                AND (order_id IS NOT NULL OR subscription_id IS NOT NULL)
            THEN CASE WHEN payload #>> '{data,object,last_payment_error,type}' = ANY(%(not_the_bank)s)
                    AND payload #>> '{data,object,last_payment_error,code}' IS DISTINCT FROM %(not_authenticated)s
                THEN 'failed' ELSE 'declined' END
            END AS payment
        FROM payments_paymentevent WHERE received_at > %(since)s AND received_at <= %(at)s
        ORDER BY received_at DESC LIMIT %(most)s
    )
    SELECT count(*),
        count(*) FILTER (WHERE status = ANY(%(done)s)), count(*) FILTER (WHERE status = ANY(%(troubled)s)),
        count(*) FILTER (WHERE payment = 'failed'), count(*) FILTER (WHERE payment = 'declined'),
        (SELECT count(*) FROM (
            SELECT FROM payments_payment WHERE paid_at > %(since)s AND paid_at <= %(at)s AND received > 0
            ORDER BY paid_at DESC LIMIT %(most)s
        ) AS paid)
    FROM newest
"""


class HealthState(StrEnum):
    """As document 03 calls them."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened between two moments, of each the newest MOST_LOOKED_AT. `failed_payments`: not by the bank's word;
    `events_failed`: that we could not process.
    """

    events: int
    events_done: int
    events_failed: int
    failed_payments: int
    declined_payments: int
    paid: int

    @property
    def payments(self) -> int:
        """What should have been paid: the bank did not refuse it."""
        return self.paid + self.failed_payments

    @property
    def payment_failure_rate(self) -> float:
        """Percent."""
        return percent(self.failed_payments, self.payments)

    @property
    def webhook_failure_rate(self) -> float:
        """Percent of what has come to an end."""
        return percent(self.events_failed, self.events_done + self.events_failed)

    @property
    def decline_rate(self) -> float:
        """Percent of all tries to pay."""
        return percent(self.declined_payments, self.paid + self.declined_payments)

    @property
    def state(self) -> HealthState:
        """The worse of the two rates, each if enough have been counted."""
        payments = self.payment_failure_rate if self.payments >= SAMPLE else 0.0
        webhooks = self.webhook_failure_rate if self.events_done + self.events_failed >= SAMPLE else 0.0
        if payments > PAYMENTS_CRITICAL or webhooks > WEBHOOKS_CRITICAL:
            return HealthState.CRITICAL
        is_degraded = payments > PAYMENTS_DEGRADED or webhooks > WEBHOOKS_DEGRADED
        return HealthState.DEGRADED if is_degraded else HealthState.HEALTHY


def read_counts(*, since: datetime, at: datetime) -> Counts:
    """What happened in between, by the indexes of the moments."""
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT,
            {
                "since": since,
                "at": at,
                "most": MOST_LOOKED_AT,
                "processed": EventStatus.PROCESSED,
                "done": list(EVENT_DONE),
                "troubled": list(EVENT_FAILING),
                "failed_types": list(FAILED_PAYMENTS),
                "not_the_bank": list(NOT_THE_BANK),
                "not_authenticated": NOT_AUTHENTICATED,
            },
        )
        return Counts(*cursor.fetchone())


def percent(part: int, whole: int) -> float:
    """0.0 of nothing."""
    return part * 100 / whole if whole else 0.0
