"""What is watched about money and messages: payments that fail, what needs a decision, what stays undone."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from payments.alerts.road import COUNTED_AT_MOST, health_page
from payments.alerts.rules import AlertSeverity, Look, Trouble, alert_rule, moment_words, words
from payments.billing.models import Dispute
from payments.billing.reminders import DISPUTE_WARNING_TIME
from payments.effects.clock_alert import KIND as CLOCK_ALERT
from payments.effects.models import Effect
from payments.figures.check import ALERT_KIND as FIGURES_ALERT
from payments.figures.recent import PAYMENTS_DEGRADED, read_counts
from payments.reconcile.unfinished import ALERT_AFTER, unfinished_runs
from payments.sql import capped_counts
from payments.statuses import DISPUTE_UNANSWERED, EffectStatus
from payments.todo.sources import count_todo

# Shops see a few percent to a quarter of declines; above that somebody tries cards that are not theirs.
DECLINES_ARE_ODD = 60.0
TRIED_IN_VAIN = 2


@alert_rule(
    "payments.failing", title=_("Payments fail"), severity=AlertSeverity.HIGH, sample=20,
    remedy=_("Banks did not refuse them: look at https://status.stripe.com and at the last failed payments in Stripe."),
)  # fmt: skip
def payments_fail(look: Look) -> Iterator[Trouble]:
    counts = read_counts(since=look.since, at=look.at)
    if counts.payments >= look.sample and counts.payment_failure_rate > PAYMENTS_DEGRADED:
        text = gettext_noop("%(failed)s of the %(all)s payments of the last hour failed, and not by a bank’s word.")
        values = {"failed": str(counts.failed_payments), "all": str(counts.payments)}
        yield Trouble(text, health_page(), values)


@alert_rule(
    "payments.declined", title=_("Unusually many cards are declined"), severity=AlertSeverity.MEDIUM, sample=20,
    remedy=_(
        "Somebody may be trying out stolen cards: look at the payments under Radar in the Stripe Dashboard, and block "
        "what they have in common."
    ),
)  # fmt: skip
def cards_are_declined(look: Look) -> Iterator[Trouble]:
    counts = read_counts(since=look.since, at=look.at)
    if counts.declined_payments >= look.sample and counts.decline_rate > DECLINES_ARE_ODD:
        text = gettext_noop("Banks declined %(declined)s tries to pay within the last hour; %(paid)s succeeded.")
        values = {"declined": str(counts.declined_payments), "paid": str(counts.paid)}
        yield Trouble(text, health_page(), values)


@alert_rule(
    "todo", title=_("Somebody must decide"), severity=AlertSeverity.LOW, has_mail=False,
    remedy=_("The list To do has a sentence and a button for each."), every=timedelta(minutes=1),
)  # fmt: skip
def people_are_needed(look: Look) -> Iterator[Trouble]:
    """Questions, refunds that are owed, disputes, unmatched money: each kind by itself; of each there was a mail."""
    for source, count in count_todo(lambda _screen: True, at=look.at):
        if count:
            values: dict[str, str | dict[str, str]] = {"what": words(source.title), "count": str(count)}
            yield Trouble(gettext_noop("%(what)s: %(count)s"), reverse("admin:index"), values, subject=source.name)


@alert_rule(
    "dispute.due", title=_("A dispute must be answered soon"), severity=AlertSeverity.HIGH, has_mail=False,
    remedy=_("Send the evidence pack to the bank through the Stripe Dashboard before the deadline; else it is lost."),
)  # fmt: skip
def dispute_is_due(look: Look) -> Iterator[Trouble]:
    until = look.at + DISPUTE_WARNING_TIME
    due = Dispute.objects.filter(status__in=DISPUTE_UNANSWERED, due_by__gt=look.at, due_by__lte=until)
    for row in due.order_by("due_by"):
        text = gettext_noop("Dispute %(dispute)s must be answered until %(day)s.")
        page = reverse("admin:payments_dispute_change", args=[row.pk])
        yield Trouble(
            text, page, {"dispute": row.stripe_id, **moment_words(row.due_by or look.at)}, subject=row.stripe_id
        )


@alert_rule(
    "mail.refused", title=_("Messages do not go out"), severity=AlertSeverity.HIGH, window=timedelta(days=1),
    remedy=_("See that the mail server of EMAIL_URL runs and takes our mail. What waits goes out by itself then."),
)  # fmt: skip
def messages_do_not_go_out(look: Look) -> Iterator[Trouble]:
    """What was tried in vain and is tried again; what was given up is a question for staff."""
    waiting = Effect.objects.filter(Q(attempts__gte=TRIED_IN_VAIN), status=EffectStatus.PENDING).exclude(outcome="")
    [count] = capped_counts([waiting], most=COUNTED_AT_MOST)
    if count:
        example = waiting.order_by("not_before", "id").values_list("outcome", flat=True).first() or ""
        text = gettext_noop("Messages and refunds that were refused and wait: %(count)s. The last answer: %(answer)s")
        page = f"{reverse('admin:payments_effect_changelist')}?status__exact={EffectStatus.PENDING}"
        yield Trouble(text, page, {"count": str(count), "answer": example[:200]})


@alert_rule(
    "reconcile.unfinished", title=_("Reconciling does not come to its end"), severity=AlertSeverity.MEDIUM,
    has_mail=False, remedy=_("The run says what cut it short. It is tried again every half hour."),
)  # fmt: skip
def reconciling_is_cut_short(_look: Look) -> Iterator[Trouble]:
    runs = unfinished_runs()
    if len(runs) >= ALERT_AFTER:
        text = gettext_noop("Runs in a row that were cut short: %(count)s. %(error)s")
        page = reverse("admin:payments_reconcilerun_changelist")
        yield Trouble(text, page, {"count": str(len(runs)), "error": runs[-1].error[:200]})


@alert_rule(
    "figures.wrong", title=_("Figures were wrong"), severity=AlertSeverity.MEDIUM, has_mail=False,
    remedy=_("They were put right; whoever looks after this program should know of it."),
)  # fmt: skip
def figures_were_wrong(look: Look) -> Iterator[Trouble]:
    if _was_told(FIGURES_ALERT, "%Y%m%d", at=look.at):
        text = gettext_noop("Last night the figures of some days did not say what their rows say.")
        yield Trouble(text, reverse("admin:dashboard"))


@alert_rule(
    "clock.off", title=_("The clock is wrong"), severity=AlertSeverity.HIGH, has_mail=False,
    remedy=_("Set the clock of this machine (NTP)."),
)  # fmt: skip
def clock_is_off(look: Look) -> Iterator[Trouble]:
    if _was_told(CLOCK_ALERT, "%Y-%m-%d", at=look.at):
        yield Trouble(gettext_noop("Today the clock of a machine was more than a minute off Stripe’s."), health_page())


def _was_told(kind: str, form: str, *, at: datetime) -> bool:
    """Whether the mail of this kind, one a day, was noted today; its key ends with the day."""
    return Effect.objects.filter(key=f"{kind}:{at.strftime(form)}").exists()
