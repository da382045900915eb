"""How subscriptions stand: access, payment overdue, paused, ended, doubtful."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from payments.billing.models import Subscription
from payments.billing.subscribers import access_until, gives_access
from payments.diagnosis.findings import Finding, Remedy, Severity, moment, rule
from payments.diagnosis.records import Records
from payments.resync.resync import RENEWAL_EVENT_DELAY, RENEWING
from payments.statuses import SUBSCRIPTION_NOT_BEGUN, SUBSCRIPTION_OVERDUE, SubscriptionStatus


def _about(row: Subscription, **more: object) -> dict[str, object]:
    return {"subscription": row.stripe_id, "state": row.status_text, **more}


def _compare(row: Subscription, sentence: str) -> Remedy:
    command = f"manage.py resync subscription {row.stripe_id}"
    return Remedy(sentence, row=row, action="resync_subscription_action", command=command)


@rule("subscription.active", Severity.FINE)
def active(records: Records) -> Iterator[Finding]:
    """It gives access."""
    for row in records.subscriptions:
        if gives_access(row, at=records.at):
            sentence = _("%(subscription)s (%(state)s) gives access (until %(moment)s).")
            yield Finding(sentence % _about(row, moment=moment(access_until(row))), row)


@rule("subscription.past_due", Severity.PROBLEM)
def past_due(records: Records) -> Iterator[Finding]:
    """Stripe could not collect; it tries again by its own timetable."""
    for row in records.subscriptions:
        if row.status in SUBSCRIPTION_OVERDUE:
            if gives_access(row, at=records.at):
                sentence = _(
                    "The payment of %(subscription)s is overdue (%(state)s); "
                    "access stays open for now (until %(moment)s)."
                )
            else:
                sentence = _("The payment of %(subscription)s is overdue (%(state)s), and it gives no access.")
            remedy = _compare(
                row, _("The person has to pay or to correct the card; ask Stripe whether they have meanwhile.")
            )
            yield Finding(sentence % _about(row, moment=moment(access_until(row))), row, (), remedy)


@rule("subscription.paused", Severity.PROBLEM)
def paused(records: Records) -> Iterator[Finding]:
    """Nothing is collected."""
    for row in records.subscriptions:
        if not row.has_ended and (row.pause or row.status == SubscriptionStatus.PAUSED):
            sentence = _("Nothing is collected for %(subscription)s: it is paused (%(state)s).")
            remedy = _compare(row, _("Let Stripe collect it again in its Dashboard, then compare."))
            yield Finding(sentence % _about(row), row, (), remedy)


@rule("subscription.not_begun", Severity.NOTE)
def not_begun(records: Records) -> Iterator[Finding]:
    """Named or begun, and not paid for."""
    for row in records.subscriptions:
        if row.status in SUBSCRIPTION_NOT_BEGUN:
            sentence = _("%(subscription)s has not begun: %(state)s.")
            yield Finding(sentence % _about(row), row, (), _compare(row, _("Ask Stripe whether it is paid meanwhile.")))


@rule("subscription.ended", Severity.NOTE)
def ended(records: Records) -> Iterator[Finding]:
    """It gives nothing any more."""
    for row in records.subscriptions:
        if row.has_ended:
            sentence = _("%(subscription)s is over (%(state)s, %(moment)s).")
            yield Finding(sentence % _about(row, moment=moment(row.ended_at)), row)


@rule("subscription.doubtful", Severity.WAITING)
def doubtful(records: Records) -> Iterator[Finding]:
    """Our news may be incomplete: the worker asks Stripe every ten minutes."""
    for row in records.subscriptions:
        before = records.at - RENEWAL_EVENT_DELAY
        told_at = row.stripe_updated_at
        is_silent = (
            row.status in RENEWING and row.period_end and row.period_end < before and told_at and told_at < before
        )
        if row.needs_resync or is_silent:
            sentence = _(
                "What we know of %(subscription)s may be incomplete or late; the worker asks Stripe by itself."
            )
            yield Finding(sentence % _about(row), row, (), _compare(row, _("Ask now instead of in ten minutes.")))


@rule("subscription.money_back", Severity.PROBLEM)
def money_back(records: Records) -> Iterator[Finding]:
    """The running period's money went back, so nothing is open, and it goes on being billed."""
    for row in records.subscriptions:
        if row.money_back and not row.has_ended:
            sentence = _(
                "The money of the running period of %(subscription)s went back (%(reason)s): it gives no access."
            )
            remedy = Remedy(_("Decide on its question: cancel it, or give the access back."), row=row)
            yield Finding(sentence % _about(row, reason=row.get_money_back_display()), row, (), remedy)
