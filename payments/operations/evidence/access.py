"""What payments themselves know of the use of what was paid for: the account, and what a subscription opened."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from payments.operations.evidence.case import Case, Entry, evidence_source


@evidence_source
def account(case: Case, at: datetime) -> Iterator[Entry]:
    """That somebody has confirmed the address and signed in."""
    user = case.user
    if user is None:
        return
    yield Entry(user.date_joined, _("Account created"), user.email)
    if user.email_confirmed_at:
        detail = _("The link that was sent to this address has been opened.")
        yield Entry(user.email_confirmed_at, _("E-mail address confirmed"), detail)
    if user.last_login:
        yield Entry(user.last_login, _("Signed in"), _("The last time; earlier ones are not kept."))


@evidence_source
def subscription(case: Case, at: datetime) -> Iterator[Entry]:
    """Which time was paid for, and whether anybody asked for its end."""
    row = case.subscription
    if row is None:
        return
    if row.started_at:
        yield Entry(row.started_at, _("Subscription began"), row.stripe_id)
    if row.period_start:
        yield Entry(row.period_start, _("Present period began"), str(row.plan or ""))
    if row.canceled_at:
        yield Entry(row.canceled_at, _("Cancellation asked for"))
    if row.ended_at:
        yield Entry(row.ended_at, _("Subscription ended"))
