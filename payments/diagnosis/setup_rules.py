"""Whether this site is set up to sell: the rules about the key, the account, prices, portal, secret, alerts and mail.

Each is a sentence with a remedy, or that all is well. Of secrets only their last four characters are told.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.core.checks import CheckMessage
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.shop.identity import Identity
from payments import checks
from payments.billing.models import Plan
from payments.diagnosis.causes import cause_of
from payments.diagnosis.endpoint_rules import endpoint_findings, unasked_endpoints
from payments.diagnosis.findings import Finding, Remedy, Severity, fine, moment
from payments.diagnosis.mail_server import MailServer
from payments.diagnosis.probe import Probe, probe_findings
from payments.diagnosis.shop_rules import shop_findings
from payments.diagnosis.stripe_answers import ACCOUNT, PORTAL, StripeAnswers
from payments.diagnosis.webhooks import no_secret
from payments.endpoints.secrets import UNUSED_REMEDY
from payments.ledger.models import RefusedDeliveries
from payments.stripe_api import clock
from payments.stripe_api.lookups import sdk_api_version
from payments.stripe_api.signature import ending
from payments.stripe_api.snapshots import Json
from payments.stripe_api.snapshots.reading import find_object, find_text
from payments.subscribing.price import PriceAtStripe, UnknownPrice

# One bad signature may be a stranger's; so many since the last event are none.
SURELY_NO_STRANGER = 3
# Told by rules of their own.
TOLD_ELSEWHERE = {
    each.id for each in (checks.NO_SECRET, checks.UNSIGNED, checks.TEST_KEY, checks.LIVE_KEY, checks.NO_ALERT_ADDRESS)
}


@dataclass(frozen=True, slots=True)
class SetUp:
    """What was found out. `probe`, `mail`: None where it was not in time. `refused`: the rows of the last day, the
    newest first. `unused_secrets`: how those end.
    """

    at: datetime
    stripe: StripeAnswers
    probe: Probe | None = None
    mail: MailServer | None = None
    plans: Sequence[Plan] = ()
    refused: Sequence[RefusedDeliveries] = ()
    last_event_at: datetime | None = None
    unused_secrets: Sequence[str] = ()
    shop: Identity = field(default_factory=Identity)


SetUpRule = Callable[[SetUp], Iterator[Finding]]


def set_up_findings(found: SetUp) -> Iterator[Finding]:
    """What every rule says, in the order in which one would put things right."""
    for code, rule in RULES:
        yield from (replace(each, code=each.code or code) for each in rule(found))


def _fault(told: str, remedy: str, *, severity: Severity = Severity.PROBLEM) -> Finding:
    return Finding(told, remedy=Remedy(remedy), severity=severity)


def _told_by(check: CheckMessage, severity: Severity = Severity.PROBLEM) -> Finding:
    """What `manage.py check` says, in the reader's language."""
    told, remedy = check.msg, check.hint or ""
    return _fault(_(told), _(remedy), severity=severity)


def _unchecked(told: str, why: str) -> Finding:
    return _fault(
        told % {"why": why}, _("Ask again in a minute; a restricted key needs the right to read this."),
        severity=Severity.UNCHECKED,
    )  # fmt: skip


def key(found: SetUp) -> Iterator[Finding]:
    """There is one, it is of the mode that belongs here, and events of that mode are taken."""
    is_live = checks.is_live_key()
    if not settings.STRIPE_SECRET_KEY:
        yield _fault(
            _("STRIPE_SECRET_KEY is not set, so Stripe cannot be asked."),
            _("Set STRIPE_SECRET_KEY, or STRIPE_SECRET_KEY_FILE, to a key from the Dashboard (Developers › API keys)."),
        )
    elif wrong := checks.wrong_key_fault():
        yield _told_by(wrong)
    elif is_live is not None and is_live != settings.STRIPE_LIVEMODE:
        yield _fault(
            _("The key is of the other mode than the events that are taken here (STRIPE_LIVEMODE): all are ignored."),
            _("Let STRIPE_LIVEMODE and the key say the same."),
        )
    else:
        mode = _("live mode") if settings.STRIPE_LIVEMODE else _("test mode")
        told = _("There is a key (%(ending)s), of %(mode)s.")
        yield fine(told % {"ending": ending(settings.STRIPE_SECRET_KEY), "mode": mode})


def account(found: SetUp) -> Iterator[Finding]:
    """Stripe answers to the key, where there is one; whose it is."""
    if not settings.STRIPE_SECRET_KEY:
        return
    own, why = found.stripe.account, found.stripe.why_not(ACCOUNT)
    if found.stripe.is_key_refused:
        told = _("Stripe refuses the key (%(ending)s): %(why)s")
        told %= {"ending": ending(settings.STRIPE_SECRET_KEY), "why": why}
        yield _fault(told, _("Copy the key from the Dashboard again; it may have been rolled or cut off."))
    elif own is None:
        told = _("Stripe’s account was not reached: %(why)s") % {"why": why}
        yield _fault(
            told, _("See whether this machine may call api.stripe.com (firewall, proxy); see status.stripe.com.")
        )
    elif own.get("charges_enabled"):
        yield fine(_("Stripe answers: the account is %(name)s.") % {"name": _name_of(own)})
    else:
        told = _("The account %(name)s may not take payments yet.") % {"name": _name_of(own)}
        yield _fault(told, _("Finish what the Stripe Dashboard asks for on its first page."))


def _name_of(account: Json) -> str:
    """As the Dashboard calls it, with its id."""
    shown = find_text(find_object(find_object(account, "settings"), "dashboard"), "display_name")
    values = {"name": shown, "id": account.get("id")}
    return _("“%(name)s” (%(id)s)") % values if shown else str(values["id"])


def version(found: SetUp) -> Iterator[Finding]:
    """The library and this program speak the same version."""
    ours, sdk = settings.STRIPE_API_VERSION, sdk_api_version()
    values = {"ours": ours, "sdk": sdk}
    if ours == sdk:
        yield fine(_("Stripe is asked in version %(ours)s.") % values)
    else:
        told = _("Stripe is asked in version %(ours)s, but its library was made for %(sdk)s.")
        remedy = _("Install the library that requirements.txt names.")
        yield _fault(told % values, remedy, severity=Severity.WAITING)


def clock_is_right(found: SetUp) -> Iterator[Finding]:
    """As the date of Stripe's answer tells."""
    if found.stripe.account is None:
        yield _unchecked(_("The clock was not compared with Stripe’s: %(why)s"), found.stripe.why_not(ACCOUNT))
        return
    offset = clock.offset(at=found.at) or timedelta(0)
    seconds = round(offset.total_seconds())
    if abs(offset) > clock.FAR_OFF:
        told = _("The clock of this machine is %(seconds)d seconds away from Stripe’s.") % {"seconds": abs(seconds)}
        yield _fault(told, _("Set it (NTP): signatures and deadlines go by it."))
    else:
        yield fine(_("The clock of this machine is right."))


def prices(found: SetUp) -> Iterator[Finding]:
    """What is sold costs the same at Stripe."""
    sold = [plan for plan in found.plans if plan.stripe_price]
    troubles = [each for plan in sold for each in _price_troubles(plan, found.stripe)]
    yield from troubles
    for slug in sorted(name for name, price in settings.STRIPE_PRICES.items() if price):
        if slug not in {plan.slug for plan in found.plans}:
            told = _("A price is set for the plan “%(plan)s”, which is not on sale.") % {"plan": slug}
            yield _fault(told, _("Add the plan (Plans), or remove the setting."), severity=Severity.NOTE)
    if not troubles:
        told = ngettext(
            "%(count)d price of a plan says the same at Stripe.", "%(count)d prices of plans say the same at Stripe.",
            len(sold),
        )  # fmt: skip
        yield fine(told % {"count": len(sold)} if sold else _("No plan is sold with a price at Stripe."))


def _price_troubles(plan: Plan, stripe: StripeAnswers) -> Iterator[Finding]:
    name = plan.stripe_price
    remedy = _("Put right the price of “%(plan)s” (Plans), or STRIPE_PRICE_MONTHLY and STRIPE_PRICE_YEARLY.")
    remedy %= {"plan": plan.name}
    if name in stripe.missing:
        yield _fault(str(UnknownPrice(name)), remedy)
    elif name not in stripe.objects:
        yield _unchecked(_("The price of a plan was not checked: %(why)s"), stripe.why_not(name))
    else:
        differences = PriceAtStripe.read(name, stripe.objects[name]).differences(
            amount=plan.amount, currency=plan.currency, interval=plan.interval, is_on_sale=plan.is_on_sale
        )
        yield from (_fault(each, remedy) for each in differences)


def portal(found: SetUp) -> Iterator[Finding]:
    """Who subscribes can change the card and see the invoices."""
    ways = found.stripe.portals
    if ways is None:
        yield _unchecked(_("The Customer Portal was not checked: %(why)s"), found.stripe.why_not(PORTAL))
    elif any(each.get("is_default") and each.get("active") for each in ways):
        yield fine(_("The Customer Portal is set up."))
    else:
        yield _fault(
            _("The Customer Portal is not set up: nobody can change their card or see their invoices."),
            _("Save it once in the Dashboard (Settings › Billing › Customer portal): cards and invoices."),
            severity=Severity.PROBLEM if found.plans else Severity.NOTE,
        )


def url(found: SetUp) -> Iterator[Finding]:
    """Who answers where Stripe sends."""
    if found.probe is None:
        yield _unchecked(_("Who answers at our address was not found out: %(why)s"), _("no answer in time"))
    else:
        yield from probe_findings(found.probe, last_event_at=found.last_event_at, at=found.at)


def endpoint(found: SetUp) -> Iterator[Finding]:
    """What is registered at Stripe."""
    yield from endpoint_findings(found.stripe)
    yield from unasked_endpoints(found.stripe)


def secret(found: SetUp) -> Iterator[Finding]:
    """A secret is set, and it is the one with which Stripe signs: the last deliveries tell."""
    own = settings.STRIPE_WEBHOOK_SECRETS
    if not own and settings.STRIPE_WEBHOOK_UNSIGNED:
        yield _told_by(checks.UNSIGNED, Severity.WAITING)
        return
    if not own:
        yield no_secret()
        return
    values = {"endings": ", ".join(map(ending, own)), "moment": moment(found.last_event_at)}
    wrong = [row for row in found.refused if row.code == "invalid_signature"]
    since = [row for row in wrong if found.last_event_at is None or row.last_at > found.last_event_at]
    if since:
        is_sure = found.last_event_at is None or sum(row.count for row in since) >= SURELY_NO_STRANGER
        told = _("What came last was signed with none of our webhook secrets (%(endings)s).") % values
        yield _fault(told, cause_of("invalid_signature")[1], severity=Severity.PROBLEM if is_sure else Severity.WAITING)
    elif found.last_event_at is None:
        told = _("There is a webhook secret (%(endings)s); no delivery has come yet, so nobody knows if it is right.")
        yield _fault(
            told % values,
            _("Let Stripe send something: pay in test mode, or `stripe trigger`."),
            severity=Severity.NOTE,
        )
    else:
        told = _("The last delivery was signed with one of our webhook secrets (%(endings)s; %(moment)s).")
        yield fine(told % values)
    for name in found.unused_secrets:
        told = _("Nothing is signed with the webhook secret that ends in %(ending)s; other secrets are used.")
        yield _fault(told % {"ending": name}, _(UNUSED_REMEDY), severity=Severity.WAITING)


def alert_address(found: SetUp) -> Iterator[Finding]:
    """Somebody hears of what needs a person."""
    if count := len(settings.STRIPE_ALERT_EMAIL):
        told = ngettext("Alerts go to %(count)d address.", "Alerts go to %(count)d addresses.", count)
        yield fine(told % {"count": count})
    else:
        yield _told_by(checks.NO_ALERT_ADDRESS)


def mail(found: SetUp) -> Iterator[Finding]:
    """The mail server takes our connection; no mail is sent."""
    server = found.mail
    if server is None:
        yield _unchecked(_("The mail server was not asked: %(why)s"), _("no answer in time"))
    elif server.trouble:
        told = _("The mail server %(name)s takes no mail from us: %(why)s")
        yield _fault(
            told % {"name": server.name, "why": server.trouble}, _("Put EMAIL_URL right, or start the server.")
        )
    elif server.is_real:
        yield fine(_("The mail server %(name)s answers.") % {"name": server.name})
    else:
        told = _("No mail leaves this machine (%(name)s).") % {"name": server.name}
        severity = Severity.PROBLEM if settings.PRODUCTION else Severity.NOTE
        yield _fault(told, _("Set EMAIL_URL to your mail server."), severity=severity)


def other_settings(found: SetUp) -> Iterator[Finding]:
    """What `manage.py check` finds beside."""
    for name in checks.unused_settings():
        told = _(checks.IS_UNUSED) % {"name": name, "why": _(checks.UNUSED[name])}
        yield _fault(told, _("Remove it."), severity=Severity.NOTE)
    for each in (*checks.webhook_is_signed(None), *checks.production_is_live(None)):
        if each.id not in TOLD_ELSEWHERE:
            yield _told_by(each, Severity.PROBLEM if each.is_serious() else Severity.WAITING)


RULES: tuple[tuple[str, SetUpRule], ...] = (
    ("stripe.key", key),
    ("stripe.account", account),
    ("stripe.version", version),
    ("stripe.clock", clock_is_right),
    ("stripe.prices", prices),
    ("stripe.portal", portal),
    ("webhooks.url", url),
    ("webhooks.endpoint", endpoint),
    ("webhooks.secret", secret),
    ("alerts.address", alert_address),
    ("mail.server", mail),
    ("site.shop", lambda found: shop_findings(found.shop)),
    ("site.settings", other_settings),
)
