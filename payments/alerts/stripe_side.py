"""What is watched at Stripe: our endpoint, and whether what it lists has come to us."""

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from payments.alerts.rules import AlertSeverity, Look, Trouble, alert_rule, moment_words, words
from payments.backfill.models import BackfillMark, BackfillRun
from payments.diagnosis.endpoint_rules import WORDS, values_of
from payments.endpoints.drift import last_drift
from payments.endpoints.secrets import UNUSED_REMEDY, unused_secrets

# So many of the missed events are named.
NAMED = 5


@alert_rule(
    "endpoint.drifted", title=_("The endpoint at Stripe is not as it should be"), severity=AlertSeverity.HIGH,
    remedy=_(
        "The page Stripe set-up names the command for each difference; `stripe_webhooks apply` brings it in line."
    ),
)  # fmt: skip
def endpoint_has_drifted(_look: Look) -> Iterator[Trouble]:
    """As Stripe said when it was asked last, which is every ten minutes."""
    drift = last_drift()
    for each in drift.differences if drift else ():
        if each.is_drift:
            text = words(WORDS[each.kind].told)["msgid"]
            subject = f"{each.kind}:{each.endpoint}".rstrip(":")
            yield Trouble(text, reverse("admin:stripe_setup"), values_of(each), subject=subject)


@alert_rule(
    "events.missing", title=_("Events were missed"), severity=AlertSeverity.HIGH,
    remedy=_("They are here now and are processed. Find out on the page Stripe set-up why no delivery brought them."),
)  # fmt: skip
def events_were_missed(look: Look) -> Iterator[Trouble]:
    """What the walks of the last hour had to take in although it was overdue; one alert, however many walks."""
    runs = list(BackfillRun.objects.filter(gap__gt=0, started_at__gt=look.since, is_dry_run=False).order_by("pk"))
    if runs:
        names = ", ".join(f"{each['type']} ({each['id']})" for each in runs[-1].events[:NAMED])
        text = gettext_noop("Events that no delivery had brought: %(count)s, among them %(names)s.")
        page = reverse("admin:payments_backfillrun_change", args=[runs[-1].pk])
        yield Trouble(text, page, {"count": str(sum(run.gap for run in runs)), "names": names})


@alert_rule(
    "events.unproven", title=_("Nobody knows whether events are missing"), severity=AlertSeverity.MEDIUM,
    window=timedelta(hours=2), remedy=_("The last walk over Stripe’s list of events says what cut it short."),
)  # fmt: skip
def completeness_is_unknown(look: Look) -> Iterator[Trouble]:
    """Stripe's list is walked every ten minutes, and has not been for hours."""
    mark = BackfillMark.objects.filter(complete_up_to__lt=look.since).first()
    if mark and mark.complete_up_to:
        text = gettext_noop("Stripe’s list of events was walked up to %(day)s, %(clock)s, only.")
        page = reverse("admin:payments_backfillrun_changelist")
        yield Trouble(text, page, moment_words(mark.complete_up_to))


@alert_rule(
    "secret.unused", title=_("A webhook secret is not used"), severity=AlertSeverity.LOW,
    every=timedelta(minutes=10), remedy=_(UNUSED_REMEDY),
)  # fmt: skip
def secret_is_unused(look: Look) -> Iterator[Trouble]:
    """One of several, while Stripe signs with another: an endpoint that is gone, or one that does not reach us."""
    for use in unused_secrets(at=look.at):
        text = gettext_noop(
            "Nothing is signed with the webhook secret that ends in %(ending)s; other secrets are used."
        )
        yield Trouble(text, reverse("admin:stripe_setup"), {"ending": use.ending}, subject=use.ending)
