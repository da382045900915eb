"""Whether Stripe sends its events to this site: what its list of our webhook endpoints means, rule by rule."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.diagnosis.findings import Finding, Remedy, Severity, fine
from payments.diagnosis.stripe_answers import ENDPOINTS, StripeAnswers
from payments.endpoints.wanted import (
    Rank,
    Registered,
    hears_by_cli,
    is_enabled,
    missing_types,
    rank_of,
    registered,
    wanted_url,
)
from payments.stripe_api.snapshots import Json

EndpointRule = Callable[[Registered], Iterator[Finding]]
GRAVITY = {Rank.CRITICAL: Severity.PROBLEM, Rank.RECOMMENDED: Severity.WAITING, Rank.OPTIONAL: Severity.NOTE}
MISSING: dict[Rank, str | Promise] = {
    Rank.CRITICAL: gettext_lazy("Stripe does not send this site %(types)s: payments or ends are not seen."),
    Rank.RECOMMENDED: gettext_lazy("Stripe does not send this site %(types)s, which should be there."),
    Rank.OPTIONAL: gettext_lazy("Stripe does not send this site %(types)s, which can be done without."),
}
APPLY, FINISH = "manage.py stripe_webhooks apply", "manage.py stripe_webhooks rotate --finish"


def endpoint_findings(answers: StripeAnswers) -> Iterator[Finding]:
    """Everything that Stripe's list says; nothing where it was not answered and nobody asks about the account."""
    if answers.endpoints is None:
        return
    found = registered(answers.endpoints)
    if not found.ours and hears_by_cli():
        told = _("This site is at an address that Stripe cannot reach: its events come through `stripe listen`.")
        yield Finding(told, code="webhooks.endpoint", severity=Severity.NOTE)
        return
    for code, find in RULES:
        yield from (replace(each, code=code) for each in find(found))


def unasked_endpoints(answers: StripeAnswers) -> Iterator[Finding]:
    """That nobody knows, where Stripe's list was not to be had."""
    if why := answers.why_not(ENDPOINTS):
        told = _("The webhook endpoints at Stripe were not checked: %(why)s") % {"why": why}
        remedy = Remedy(_("Ask again in a minute; a restricted key needs the right to read webhook endpoints."))
        yield Finding(told, remedy=remedy, code="webhooks.endpoint", severity=Severity.UNCHECKED)


def registered_once(found: Registered) -> Iterator[Finding]:
    """One endpoint leads here, and by the same scheme as this site's own address."""
    own = ", ".join(f"{each.get('url')} ({each.get('id')})" for each in found.ours)
    if not found.ours:
        yield _none(found)
    elif found.is_rotating:
        told = _("The secret is being replaced: %(own)s lead here until it is finished.") % {"own": own}
        remedy = Remedy(_("Finish once deliveries come with the new secret."), FINISH)
        yield Finding(told, remedy=remedy, severity=Severity.WAITING)
    elif len(found.ours) > 1:
        told = _("Several webhook endpoints at Stripe lead to this site, so every event comes more than once: %(own)s.")
        remedy = Remedy(_("Delete all but the one whose signing secret is set here, in the Stripe Dashboard."))
        yield Finding(told % {"own": own}, remedy=remedy, severity=Severity.WAITING)
    else:
        yield fine(_("One webhook endpoint at Stripe leads to this site: %(own)s.") % {"own": own})
    yield from (_other_scheme(each) for each in found.working if not _has_our_scheme(each))


def _none(found: Registered) -> Finding:
    others = ", ".join(str(each.get("url")) for each in found.others) or _("none at all")
    told = _("No webhook endpoint at Stripe leads to this site (%(host)s): %(others)s.")
    told %= {"host": urlsplit(settings.SITE_URL).hostname, "others": others}
    remedy = _("Add %(url)s with this command, or in the Stripe Dashboard (Developers › Webhooks).")
    return Finding(told, remedy=Remedy(remedy % {"url": wanted_url()}, APPLY), severity=Severity.PROBLEM)


def _has_our_scheme(endpoint: Json) -> bool:
    return urlsplit(str(endpoint.get("url"))).scheme == urlsplit(settings.SITE_URL).scheme


def _other_scheme(endpoint: Json) -> Finding:
    told = _("Stripe sends to %(url)s, but this site is at %(ours)s: what is redirected is lost.")
    remedy = Remedy(_("Let the endpoint and SITE_URL begin alike, with https."), APPLY)
    values = {"url": endpoint.get("url"), "ours": settings.SITE_URL}
    return Finding(told % values, remedy=remedy, severity=Severity.PROBLEM)


def enabled(found: Registered) -> Iterator[Finding]:
    """Stripe disables what fails for days; a second endpoint may be off on purpose."""
    off = [each for each in found.ours if not is_enabled(each)]
    is_any_on = len(off) < len(found.ours)
    yield from (_disabled(each, is_another_on=is_any_on) for each in off)
    if is_any_on and not off:
        yield fine(_("The webhook endpoint is enabled."))


def _disabled(endpoint: Json, *, is_another_on: bool) -> Finding:
    remedy = Remedy(
        _("Remove why it failed, enable it, and then reconcile: what happened meanwhile is not sent later."),
        "manage.py stripe_webhooks enable",
    )  # fmt: skip
    if is_another_on:
        told = _("The webhook endpoint %(id)s is disabled at Stripe; another one leads here.")
        return Finding(told % {"id": endpoint.get("id")}, remedy=remedy, severity=Severity.NOTE)
    told = _("The webhook endpoint %(url)s is disabled at Stripe: no event comes.")
    return Finding(told % {"url": endpoint.get("url")}, remedy=remedy, severity=Severity.PROBLEM)


def right_events(found: Registered) -> Iterator[Finding]:
    """Each type that has a handler is sent; how grave it is where one is not says its rank."""
    missing = missing_types(found.working) if found.ours else []
    for rank in Rank:
        if types := [name for name in missing if rank_of(name) is rank]:
            told = str(MISSING[rank]) % {"types": ", ".join(types)}
            remedy = Remedy(_("Let the endpoint be sent what this program understands."), APPLY)
            yield Finding(told, remedy=remedy, severity=GRAVITY[rank])
    if found.ours and not missing:
        yield fine(_("It is sent every type of event that is understood here."))


def right_version(found: Registered) -> Iterator[Finding]:
    """The shape in which events come is the endpoint's, for ever; without one, that of the account."""
    ours = settings.STRIPE_API_VERSION
    other = next((each for each in found.working if each.get("api_version") != ours), None)
    if other:
        told = _("The endpoint %(id)s sends events in version %(version)s, but this program was written for %(ours)s.")
        version = other.get("api_version") or _("“as the account has it”")
        remedy = Remedy(_("Older events are understood, but make a new endpoint: this one cannot be changed."), APPLY)
        values = {"id": other.get("id"), "version": version, "ours": ours}
        yield Finding(told % values, remedy=remedy, severity=Severity.WAITING)
    elif found.ours:
        yield fine(_("Events come in version %(version)s, as they should.") % {"version": ours})


RULES: tuple[tuple[str, EndpointRule], ...] = (
    ("webhooks.endpoint", registered_once),
    ("webhooks.enabled", enabled),
    ("webhooks.events", right_events),
    ("webhooks.version", right_version),
)
