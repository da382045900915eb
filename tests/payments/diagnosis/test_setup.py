"""Is everything set up to sell? Each way to get it wrong is named in one sentence, with a remedy."""

import socket
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from accounts.shop.models import Shop
from payments.diagnosis import probe
from payments.diagnosis.findings import Severity
from payments.diagnosis.setup import validate_set_up
from payments.handlers.registry import handled_types
from payments.ledger.models import PaymentEvent, RefusedDeliveries
from payments.stripe_api import clock, lookups
from payments.stripe_api.gateway import GatewayRefused, KeyRefused
from payments.tallies import Tally
from tests.support.fake_gateway import unavailable
from tests.support.set_up import site_in_order
from tests.support.smtp import running_mail_server

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def mail_server():
    with running_mail_server() as server:
        yield server


@pytest.fixture
def site(settings, monkeypatch, mail_server):
    """Everything as it should be; each test spoils one thing."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mail_server.port
    with site_in_order(settings, monkeypatch) as made:
        yield made


def wrong_key(site):
    site.stripe.trouble = KeyRefused(code="", message="Invalid API Key provided: the key")


def no_key(site):
    site.settings.STRIPE_SECRET_KEY = ""


def key_of_test_mode(site):
    site.settings.PRODUCTION = site.settings.STRIPE_LIVEMODE = True


def live_key_elsewhere(site):
    site.settings.STRIPE_SECRET_KEY = "rk_live_secret_1234"


def other_mode(site):
    site.settings.STRIPE_LIVEMODE = True


def stripe_is_away(site):
    site.stripe.trouble = unavailable()


def closed_account(site):
    site.stripe.account["charges_enabled"] = False


def archived_price(site):
    site.price["active"] = False


def other_interval(site):
    site.price["recurring"] = {"interval": "year", "interval_count": 1}


def other_amount(site):
    site.price["unit_amount"] = 500


def other_currency(site):
    site.price["currency"] = "usd"


def unknown_price(site):
    del site.stripe.prices["price_1"]


def no_portal(site):
    site.stripe.portals[0]["active"] = False


def answers(status, **headers):
    def spoil(site):
        site.web.statuses, site.web.headers = {"GET": status}, headers

    return spoil


def redirects(target, status=301):
    """`target`: with {host} for our own."""

    def spoil(site):
        answers(status, Location=target.format(host=site.web.url.removeprefix("http://")))(site)

    return spoil


def refuses_deliveries(site):
    site.web.statuses = {"GET": 405, "POST": 403}


def proxy_is_full(site):
    site.web.statuses["POST"] = 503


def tls_is_broken(site):
    site.settings.SITE_URL = site.web.url.replace("http:", "https:")
    site.endpoint["url"] = f"{site.settings.SITE_URL}/stripe/webhooks"


def plain_http_in_live_mode(site):
    site.settings.STRIPE_LIVEMODE = True


def nobody_listens(site):
    site.settings.SITE_URL = "http://127.0.0.1:1"
    PaymentEvent.objects.update(received_at=NOW - timedelta(days=2))


def no_endpoint(site):
    site.endpoint["url"] = "https://old.example/stripe/webhooks"


def other_scheme(site):
    site.endpoint["url"] = site.endpoint["url"].replace("http:", "https:")


def two_endpoints(site):
    site.stripe.endpoints.append({**site.endpoint, "id": "we_2"})


def rotating(site):
    site.stripe.endpoints.append({**site.endpoint, "id": "we_2", "metadata": {"replaces": "we_1"}})


def disabled(site):
    site.endpoint["status"] = "disabled"


def not_sent(*types):
    def spoil(site):
        site.endpoint["enabled_events"] = [each for each in handled_types() if each not in types]

    return spoil


def older_version(site):
    site.endpoint["api_version"] = "2023-10-16"


def accounts_version(site):
    site.endpoint["api_version"] = None


def refused(code, *, count, at=NOW):
    def spoil(site):
        RefusedDeliveries.objects.create(hour=at, code=code, count=count, last_at=at)

    return spoil


def no_secret(site):
    site.settings.STRIPE_WEBHOOK_SECRETS = []
    site.web.statuses["POST"] = 503


def odd_secret(site):
    site.settings.STRIPE_WEBHOOK_SECRETS = ["sk_live_a"]


def nobody_is_told(site):
    site.settings.STRIPE_ALERT_EMAIL = []


def mail_server_is_down(site):
    site.settings.EMAIL_PORT = 1


def no_mail_server(site):
    site.settings.EMAIL_BACKEND = "payments.effects.mail.EmailBackend"


def no_shop(site):
    Shop.objects.all().delete()


def no_terms(site):
    Shop.objects.update(terms_en="", terms_fr="")


def unnamed_shop(site):
    Shop.objects.update(name="", email="")


@pytest.fixture(autouse=True)
def _clock_of_a_new_process():
    clock.forget()
    yield
    clock.forget()


def wrong_clock(site):
    clock.learn(said_at=NOW + timedelta(minutes=3), asked_at=NOW, heard_at=NOW)


FAULT, WARNING, NOTE = Severity.PROBLEM, Severity.WAITING, Severity.NOTE
# What is spoiled, the rule that names it, how grave it is, and words of its sentence.
WRONG = [
    (no_key, "stripe.key", FAULT, "STRIPE_SECRET_KEY is not set"),
    (key_of_test_mode, "stripe.key", FAULT, "Production has a Stripe key of test mode"),
    (live_key_elsewhere, "stripe.key", FAULT, "A Stripe key of live mode outside production"),
    (other_mode, "stripe.key", FAULT, "of the other mode than the events that are taken here"),
    (wrong_key, "stripe.account", FAULT, "Stripe refuses the key (…1234): Invalid API Key"),
    (stripe_is_away, "stripe.account", FAULT, "Stripe’s account was not reached: Stripe is not available"),
    (closed_account, "stripe.account", FAULT, "“The shop” (acct_1) may not take payments yet"),
    (wrong_clock, "stripe.clock", FAULT, "is 180 seconds away from Stripe’s"),
    (archived_price, "stripe.prices", FAULT, "price_1 is archived at Stripe"),
    (other_interval, "stripe.prices", FAULT, "At Stripe price_1 is €4.00 a year; here it is €4.00 a month."),
    (other_amount, "stripe.prices", FAULT, "At Stripe price_1 is €5.00 a month; here it is €4.00 a month."),
    (other_currency, "stripe.prices", FAULT, "At Stripe price_1 is $4.00 a month; here it is €4.00 a month."),
    (unknown_price, "stripe.prices", FAULT, "Stripe knows no price price_1: it may belong to another account or mode."),
    (no_portal, "stripe.portal", FAULT, "The Customer Portal is not set up"),
    (redirects("https://{host}/stripe/webhooks"), "webhooks.url", FAULT, "redirects to https://127.0.0.1"),
    (redirects("/stripe/webhooks/", 308), "webhooks.url", FAULT, "redirects to /stripe/webhooks/"),
    (redirects("https://www.shop.example/stripe/webhooks"), "webhooks.url", FAULT, "to https://www.shop.example"),
    (redirects("/accounts/login/?next=/stripe/webhooks", 302), "webhooks.url", FAULT, "redirects to /accounts/login/"),
    (answers(200), "webhooks.url", FAULT, "something else than this site answers (status 200)"),
    (answers(405), "webhooks.url", FAULT, "something else than this site answers (status 405)"),
    (answers(401), "webhooks.url", FAULT, "A proxy keeps Stripe out"),
    (answers(404), "webhooks.url", FAULT, "the path is wrong, or another host answers"),
    (answers(400, **{"X-Request-ID": "r"}), "webhooks.url", FAULT, "does not answer to the host name 127.0.0.1"),
    (answers(429), "webhooks.url", FAULT, "A proxy limits how often"),
    (answers(502), "webhooks.url", FAULT, "does not reach this site (status 502)"),
    (refuses_deliveries, "webhooks.url", FAULT, "but a delivery (POST) with status 403 instead of 400"),
    (proxy_is_full, "webhooks.url", FAULT, "but a delivery (POST) with status 503 instead of 400"),
    (tls_is_broken, "webhooks.url", FAULT, "The certificate of 127.0.0.1 is not accepted (SSLError)"),
    (plain_http_in_live_mode, "webhooks.url", FAULT, "is no https address, and Stripe sends live events to no other"),
    (nobody_listens, "webhooks.url", FAULT, "cannot be reached from here (ConnectionError)"),
    (no_endpoint, "webhooks.endpoint", FAULT, "leads to this site (127.0.0.1): https://old.example/stripe/webhooks."),
    (other_scheme, "webhooks.endpoint", FAULT, "what is redirected is lost"),
    (two_endpoints, "webhooks.endpoint", WARNING, "so every event comes more than once"),
    (rotating, "webhooks.endpoint", WARNING, "The secret is being replaced"),
    (disabled, "webhooks.enabled", FAULT, "is disabled at Stripe: no event comes"),
    (not_sent("invoice.paid"), "webhooks.events", FAULT, "does not send this site invoice.paid: payments or ends"),
    (not_sent("charge.dispute.created"), "webhooks.events", WARNING, "charge.dispute.created, which should be there"),
    (not_sent("payment_intent.succeeded"), "webhooks.events", NOTE, "payment_intent.succeeded, which can be done"),
    (older_version, "webhooks.version", WARNING, "sends events in version 2023-10-16, but this program was written"),
    (accounts_version, "webhooks.version", WARNING, "“as the account has it”"),
    (no_secret, "webhooks.secret", FAULT, "Every delivery is refused: no webhook secret is configured"),
    (refused("invalid_signature", count=3), "webhooks.secret", FAULT, "signed with none of our webhook secrets (…"),
    (refused("invalid_signature", count=1), "webhooks.secret", WARNING, "signed with none of our webhook secrets (…"),
    (nobody_is_told, "alerts.address", FAULT, "there is no address for alerts"),
    (mail_server_is_down, "mail.server", FAULT, "127.0.0.1:1 takes no mail from us: ConnectionRefusedError"),
    (no_mail_server, "mail.server", NOTE, "No mail leaves this machine (payments.effects.mail)"),
    (no_shop, "site.shop", WARNING, "The site has no legal notice"),
    (no_terms, "site.shop", WARNING, "The site has no terms of sale"),
    (unnamed_shop, "site.shop", NOTE, "what is missing: a name, a contact e-mail"),
    (odd_secret, "site.settings", WARNING, "A webhook secret does not begin with whsec_"),
]


def told(report):
    return [(each.code, each.severity, each.sentence.replace("\N{NO-BREAK SPACE}", " ")) for each in report.findings]


class TestValidateSetUp:
    def test_finds_nothing_where_all_is_well(self, site):
        report = validate_set_up(at=NOW)

        assert {severity for _code, severity, _sentence in told(report)} == {Severity.FINE}
        assert (report.is_valid, report.verdict) == (True, "Everything is set up.")

    @pytest.mark.parametrize(("spoil", "code", "severity", "words"), WRONG)
    def test_names_what_is_wrong(self, site, spoil, code, severity, words):
        spoil(site)

        report = validate_set_up(at=NOW)

        named = [each for each in report.findings if each.code == code and each.severity is severity]
        assert [each for each in named if words in each.sentence.replace("\N{NO-BREAK SPACE}", " ")], told(report)
        assert all(each.remedy.sentence for each in named)
        assert report.is_valid == (severity is not FAULT)

    def test_says_the_same_address_is_reached_where_only_the_secret_is_missing(self, site):
        no_secret(site)

        assert ("webhooks.url", Severity.FINE) in {each[:2] for each in told(validate_set_up(at=NOW))}

    def test_names_settings_that_do_nothing(self, site, monkeypatch):
        monkeypatch.setenv("STRIPE_WEBHOOK_URL", "https://shop.example/hooks")

        [(code, severity, sentence)] = [
            each for each in told(validate_set_up(at=NOW)) if "STRIPE_WEBHOOK_URL" in each[2]
        ]

        assert (code, severity) == ("site.settings", NOTE)
        assert sentence.startswith(
            "STRIPE_WEBHOOK_URL is set and not used: the addresses for Stripe's events are fixed"
        )

    def test_names_the_secret_that_signs_nothing(self, site):
        site.settings.STRIPE_WEBHOOK_SECRETS = ["whsec_secret_abcd", "whsec_secret_efgh"]
        for what, label, day in (("secret_set", "…abcd", 5), ("secret_set", "…efgh", 5), ("secret", "…efgh", 0)):
            hour = NOW - timedelta(days=day)
            Tally.objects.create(what=what, label=label, count=1, micros=0, buckets=[], hour=hour, in_hour=1)

        found = [each for each in told(validate_set_up(at=NOW)) if each[1] is WARNING]

        assert [code for code, _severity, _sentence in found] == ["webhooks.secret"]
        assert "ends in …abcd" in found[0][2]

    def test_shows_no_more_of_a_secret_than_its_end(self, site):
        site.settings.STRIPE_WEBHOOK_SECRETS = ["whsec_secret_abcd", "whsec_secret_efgh"]

        said = str(validate_set_up(at=NOW).as_dict())

        assert "…abcd, …efgh" in said
        assert "…1234" in said
        assert "secret_" not in said

    def test_asks_as_stripe_would_and_delivers_nothing(self, site):
        validate_set_up(at=NOW)

        assert [(each.method, each.path) for each in site.web.asked] == [
            ("GET", "/stripe/webhooks"), ("POST", "/stripe/webhooks"),
        ]  # fmt: skip
        assert not any("Stripe-Signature" in each.headers for each in site.web.asked)

    def test_says_what_nobody_answered(self, site):
        stripe_is_away(site)

        report = validate_set_up(at=NOW)

        unknown = {code for code, severity, _sentence in told(report) if severity is Severity.UNCHECKED}
        assert unknown == {"stripe.clock", "stripe.prices", "stripe.portal", "webhooks.endpoint"}

    def test_says_what_a_restricted_key_may_not_read(self, site, monkeypatch):
        def refuse():
            raise GatewayRefused(code="", message="The key may not read portals.")

        monkeypatch.setattr(lookups, "portal_configurations", refuse)

        report = validate_set_up(at=NOW)

        assert ("stripe.portal", Severity.UNCHECKED) in {each[:2] for each in told(report)}
        assert not report.is_valid
        assert report.verdict == "Nothing wrong was found, but not everything could be checked."

    def test_ends_with_what_was_refused(self, site):
        refused("wrong_host", count=7)(site)

        report = validate_set_up(at=NOW)

        assert report.is_valid
        assert report.webhooks.verdict.startswith("7 deliveries were refused in the last 24 hours.")

    def test_waits_no_longer_than_it_may(self, site, monkeypatch):
        with silent_host() as url:
            site.settings.SITE_URL = url
            site.endpoint["url"] = f"{url}/stripe/webhooks"

            report = validate_set_up(at=NOW, seconds=0.1)

        assert ("webhooks.url", Severity.UNCHECKED) in {each[:2] for each in told(report)}

    @pytest.mark.parametrize(("hours", "severity"), [(1, Severity.NOTE), (25, Severity.PROBLEM)])
    def test_believes_deliveries_more_than_its_own_view_of_the_network(self, site, monkeypatch, hours, severity):
        monkeypatch.setattr(probe, "PROBE_SECONDS", 0.05)
        with silent_host() as url:
            site.settings.SITE_URL = url

            [found] = probe.probe_findings(probe.probe_webhook(), last_event_at=NOW - timedelta(hours=hours), at=NOW)

        assert (found.severity, "gives no answer in time (ReadTimeout)" in found.sentence) == (severity, True)


@contextmanager
def silent_host():
    """It takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
