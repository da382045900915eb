"""Who answers at the address to which Stripe sends: asked over the network as Stripe would, and put into words.

GET must be answered with 405 and an unsigned delivery with 400, by this site, without a redirect and with a good
certificate. Nothing is delivered by asking, and the refusal is not counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.utils.translation import gettext as _

from payments.diagnosis.findings import Finding, Remedy, Severity, fine
from payments.endpoints.wanted import wanted_url
from payments.ledger.refusals import PROBE_HEADER, probe_token

PROBE_SECONDS = 2.0
CODE = "webhooks.url"
# What ours answers to an unsigned delivery; the second where there is no secret, which another rule tells.
REFUSED, NO_SECRET = 400, 503


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer. `target`: where it redirects; `is_ours`: it looks like this program's.

    `trouble`: why there is none ("tls", "slow", "silent"), with the class of the error.
    """

    status: int = 0
    target: str = ""
    is_ours: bool = False
    trouble: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """What was heard at `url`. `delivery`: of an unsigned POST; None where it was not sent."""

    url: str
    get: Heard
    delivery: Heard | None = None


def probe_webhook() -> Probe:
    """Ask our own address; takes twice PROBE_SECONDS at most, more where it trickles. Raises nothing."""
    url = wanted_url()
    get = _ask("GET", url)
    is_there = get.status == requests.codes.method_not_allowed and get.is_ours
    return Probe(url, get, _ask("POST", url) if is_there else None)


def _ask(method: str, url: str) -> Heard:
    sent: dict[str, Any] = {"headers": {PROBE_HEADER: probe_token()}, "json": {} if method == "POST" else None}
    try:
        answer = requests.request(method, url, timeout=PROBE_SECONDS, allow_redirects=False, stream=True, **sent)
    except requests.exceptions.SSLError as error:
        return Heard(trouble="tls", error=type(error).__name__)
    except requests.Timeout as error:
        return Heard(trouble="slow", error=type(error).__name__)
    except requests.RequestException as error:
        return Heard(trouble="silent", error=type(error).__name__)
    with answer:
        return Heard(answer.status_code, answer.headers.get("Location", ""), "X-Request-ID" in answer.headers)


def probe_findings(probe: Probe, *, last_event_at: datetime | None, at: datetime) -> Iterator[Finding]:
    """One finding. What this machine cannot reach may be open to Stripe: where events came of late, a note."""
    told, remedy = _what_is_wrong(probe)
    severity = Severity.PROBLEM
    if probe.get.trouble in ("slow", "silent") and last_event_at and (at - last_event_at).days < 1:
        severity = Severity.NOTE
    if told:
        yield Finding(told, remedy=Remedy(remedy), code=CODE, severity=severity)
    else:
        yield replace(fine(_("%(url)s answers as it should.") % {"url": probe.url}), code=CODE)


def _what_is_wrong(probe: Probe) -> tuple[str, str]:
    """The cause and what to do, two sentences; "" where nothing is."""
    if settings.STRIPE_LIVEMODE and not probe.url.startswith("https://"):
        told = _("%(url)s is no https address, and Stripe sends live events to no other.") % {"url": probe.url}
        return told, _("Put SITE_URL right; the proxy needs a certificate.")
    for heard in (probe.get, probe.delivery):
        if heard and heard.trouble:
            return _silence(probe.url, heard)
    if probe.get.target:
        return _redirect(probe)
    return _other_answer(probe) if probe.delivery is None else _delivery(probe.url, probe.delivery)


def _delivery(url: str, heard: Heard) -> tuple[str, str]:
    can_verify = settings.STRIPE_WEBHOOK_SECRETS or settings.STRIPE_WEBHOOK_UNSIGNED
    if heard.is_ours and heard.status == (REFUSED if can_verify else NO_SECRET):
        return "", ""
    told = _("%(url)s answers GET as it should, but a delivery (POST) with status %(status)d instead of 400.")
    remedy = _("Let the proxy pass POST on to this site, with body and headers unchanged.")
    return told % {"url": url, "status": heard.status}, remedy


def _silence(url: str, heard: Heard) -> tuple[str, str]:
    values = {"url": url, "error": heard.error, "host": urlsplit(url).hostname}
    if heard.trouble == "tls":
        told = _("The certificate of %(host)s is not accepted (%(error)s), so Stripe delivers nothing.")
        return told % values, _("Renew it, with its whole chain and for this very host name; TLS 1.2 or newer.")
    if heard.trouble == "slow":
        told = _("%(url)s gives no answer in time (%(error)s).")
        return told % values, _("See whether the web server runs and whether a firewall drops what comes in.")
    told = _("%(url)s cannot be reached from here (%(error)s).")
    return told % values, _("See whether the host name leads to this machine and whether the web server runs.")


def _redirect(probe: Probe) -> tuple[str, str]:
    here, there = urlsplit(probe.url), urlsplit(probe.get.target)
    told = _("%(url)s redirects to %(target)s: Stripe does not follow, and the event is lost.")
    told %= {"url": probe.url, "target": probe.get.target}
    if there.hostname not in (None, here.hostname):
        return told, _("Give SITE_URL and the endpoint the host name that answers, or let the proxy answer at both.")
    if there.path.rstrip("/") != here.path.rstrip("/"):
        return told, _("Something asks for a sign-in or a language there: let the proxy pass this path on untouched.")
    if there.scheme not in ("", here.scheme):
        return told, _("Begin SITE_URL and the endpoint’s address with https; set TRUSTED_PROXY_HEADER behind a proxy.")
    return told, _("The proxy adds or drops the slash at the end: let it pass this path on untouched.")


def _other_answer(probe: Probe) -> tuple[str, str]:
    status = probe.get.status
    told, remedy = _words_of(status, is_ours=probe.get.is_ours)
    return told % {"url": probe.url, "status": status, "host": urlsplit(probe.url).hostname}, remedy


def _words_of(status: int, *, is_ours: bool) -> tuple[str, str]:
    """What it means that GET is answered with this instead of 405; `is_ours`: by something that looks like us."""
    if status in (401, 403, 407):
        told = _("A proxy keeps Stripe out: %(url)s asks for a password or forbids access (status %(status)d).")
        return told, _("Let it pass this path without a password: the signature says who it is.")
    if status == 404:
        told = _("There is nothing at %(url)s (status 404): the path is wrong, or another host answers.")
        return told, _("Let the proxy pass the path on unchanged, and the host name lead to this site.")
    if status == 400 and is_ours:
        return _("This site does not answer to the host name %(host)s (status 400)."), _("Add it to ALLOWED_HOSTS.")
    if status == 429:
        told = _("A proxy limits how often %(url)s may be called (status 429).")
        return told, _("Take this path out of the limit.")
    if status >= 500:
        told = _("The proxy at %(url)s does not reach this site (status %(status)d).")
        return told, _("See whether the web server runs and whether the proxy knows its port.")
    told = _("At %(url)s something else than this site answers (status %(status)d).")
    return told, _("Look at the proxy in front of this site, at where its host name leads, and at SITE_URL.")
