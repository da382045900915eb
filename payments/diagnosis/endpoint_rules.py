"""Whether Stripe sends its events to this site: what differs about our webhook endpoints, in sentences."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.diagnosis.findings import Finding, Remedy, Severity, fine
from payments.diagnosis.stripe_answers import ENDPOINTS, StripeAnswers
from payments.endpoints.compare import Difference, Kind, differences
from payments.endpoints.wanted import hears_by_cli, registered, wanted_url

APPLY, ENABLE = "manage.py stripe_webhooks apply", "manage.py stripe_webhooks enable"
FINISH = "manage.py stripe_webhooks rotate --finish"
ENDPOINT, ENABLED, EVENTS, VERSION = "webhooks.endpoint", "webhooks.enabled", "webhooks.events", "webhooks.version"
_SEND_ALL = gettext_lazy("Let the endpoint be sent what this program understands.")
_ENABLE = gettext_lazy(
    "Remove why it failed, enable it, and then reconcile: what happened meanwhile is not sent later."
)


@dataclass(frozen=True, slots=True)
class Words:
    """How a difference is told: by which rule, how grave it is, the sentence, and the remedy with its command."""

    rule: str
    severity: Severity
    told: str | Promise
    remedy: str | Promise
    command: str = ""


WORDS: dict[Kind, Words] = {
    Kind.NONE: Words(
        ENDPOINT, Severity.PROBLEM,
        gettext_lazy("No webhook endpoint at Stripe leads to this site (%(host)s): %(detail)s."),
        gettext_lazy("Add %(url)s with this command, or in the Stripe Dashboard (Developers › Webhooks)."), APPLY,
    ),
    Kind.TWICE: Words(
        ENDPOINT, Severity.WAITING,
        gettext_lazy(
            "Several webhook endpoints at Stripe lead to this site, so every event comes more than once: %(detail)s."
        ),
        gettext_lazy("Delete all but the one whose signing secret is set here, in the Stripe Dashboard."),
    ),
    Kind.ROTATING: Words(
        ENDPOINT, Severity.WAITING,
        gettext_lazy("The secret is being replaced: %(detail)s lead here until it is finished."),
        gettext_lazy("Finish once deliveries come with the new secret."), FINISH,
    ),
    Kind.SCHEME: Words(
        ENDPOINT, Severity.PROBLEM,
        gettext_lazy("Stripe sends to %(detail)s, but this site is at %(site)s: what is redirected is lost."),
        gettext_lazy("Let the endpoint and SITE_URL begin alike, with https."), APPLY,
    ),
    Kind.DISABLED: Words(
        ENABLED, Severity.PROBLEM,
        gettext_lazy("The webhook endpoint %(detail)s is disabled at Stripe: no event comes."), _ENABLE, ENABLE,
    ),
    Kind.STANDBY: Words(
        ENABLED, Severity.NOTE,
        gettext_lazy("The webhook endpoint %(endpoint)s is disabled at Stripe; another one leads here."), _ENABLE,
        ENABLE,
    ),
    Kind.CRITICAL: Words(
        EVENTS, Severity.PROBLEM,
        gettext_lazy("Stripe does not send this site %(detail)s: payments or ends are not seen."), _SEND_ALL, APPLY,
    ),
    Kind.RECOMMENDED: Words(
        EVENTS, Severity.WAITING,
        gettext_lazy("Stripe does not send this site %(detail)s, which should be there."), _SEND_ALL, APPLY,
    ),
    Kind.OPTIONAL: Words(
        EVENTS, Severity.NOTE,
        gettext_lazy("Stripe does not send this site %(detail)s, which can be done without."), _SEND_ALL, APPLY,
    ),
    Kind.VERSION: Words(
        VERSION, Severity.WAITING,
        gettext_lazy(
            "The endpoint %(endpoint)s sends events in version %(detail)s, but this program was written for %(ours)s."
        ),
        gettext_lazy("Older events are understood, but make a new endpoint: this one cannot be changed."), APPLY,
    ),
}  # fmt: skip
# What is told instead where one of ours is registered and nothing differs.
ALL_IS_WELL: dict[str, str | Promise] = {
    ENDPOINT: gettext_lazy("One webhook endpoint at Stripe leads to this site: %(detail)s."),
    ENABLED: gettext_lazy("The webhook endpoint is enabled."),
    EVENTS: gettext_lazy("It is sent every type of event that is understood here."),
    VERSION: gettext_lazy("Events come in version %(ours)s, as they should."),
}
# Stripe's empty answers in words.
NOTHING: dict[Kind, str | Promise] = {
    Kind.NONE: gettext_lazy("none at all"), Kind.VERSION: gettext_lazy("“as the account has it”"),
}  # fmt: skip


def endpoint_findings(answers: StripeAnswers) -> Iterator[Finding]:
    """Everything that Stripe's list says; nothing where there is none."""
    if answers.endpoints is None:
        return
    found = registered(answers.endpoints)
    differing = [told_of(each) for each in differences(found)]
    yield from differing
    if found.ours:
        own = f"{found.ours[0].get('url')} ({found.ours[0].get('id')})"
        yield from _fine({each.code for each in differing}, own)
    elif hears_by_cli():
        told = _("This site is at an address that Stripe cannot reach: its events come through `stripe listen`.")
        yield Finding(told, code=ENDPOINT, severity=Severity.NOTE)


def _fine(differing: Iterable[str], own: str) -> Iterator[Finding]:
    for code, told in ALL_IS_WELL.items():
        if code not in differing:
            yield replace(fine(str(told) % {"detail": own, "ours": settings.STRIPE_API_VERSION}), code=code)


def unasked_endpoints(answers: StripeAnswers) -> Iterator[Finding]:
    """That nobody knows, where Stripe's list was not to be had."""
    if why := answers.why_not(ENDPOINTS):
        told = _("The webhook endpoints at Stripe were not checked: %(why)s") % {"why": why}
        remedy = Remedy(_("Ask again in a minute; a restricted key needs the right to read webhook endpoints."))
        yield Finding(told, remedy=remedy, code=ENDPOINT, severity=Severity.UNCHECKED)


def told_of(difference: Difference) -> Finding:
    """One difference as a finding."""
    words, values = WORDS[difference.kind], values_of(difference)
    remedy = Remedy(str(words.remedy) % values, words.command)
    return Finding(str(words.told) % values, remedy=remedy, code=words.rule, severity=words.severity)


def values_of(difference: Difference) -> dict[str, str]:
    """What its sentences take."""
    return {
        "endpoint": difference.endpoint, "detail": difference.detail or str(NOTHING.get(difference.kind, "")),
        "host": urlsplit(settings.SITE_URL).hostname or "", "site": settings.SITE_URL, "url": wanted_url(),
        "ours": settings.STRIPE_API_VERSION,
    }  # fmt: skip
