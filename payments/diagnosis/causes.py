"""Why a delivery of a webhook is refused, by the code of the refusal, and what to do about it."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

Words = tuple[str | Promise, str | Promise]
_SECRET = gettext_lazy(
    "Compare the signing secret of this endpoint in the Stripe Dashboard (Developers › Webhooks) with "
    "STRIPE_WEBHOOK_SECRET; test and live mode, and each endpoint, have their own. If it is the same, a proxy changes "
    "the body on its way."
)
_CLOCK = gettext_lazy("Set the clock of this machine (NTP); a recording played back by a stranger can be ignored.")
_VERSION = gettext_lazy("If it comes from Stripe, send the request id to whoever looks after this program.")
_PROXY = gettext_lazy("Look at the proxy in front of this site: it must pass the body on whole and unchanged.")
_NOT_STRIPE = gettext_lazy("Stripe sends no such thing: it comes from somebody else, and nothing needs to be done.")
CAUSES: Mapping[str, Words] = {
    "invalid_signature": (gettext_lazy("the signature matches none of our webhook secrets."), _SECRET),
    "missing_signature": (
        gettext_lazy("the Stripe-Signature header is missing."),
        gettext_lazy(
            "Stripe signs every delivery. Either it comes from somebody else, and nothing needs to be done, or a proxy "
            "drops the header: then let it pass."
        ),
    ),
    "timestamp_too_old": (gettext_lazy("the signature is right but too old."), _CLOCK),
    "timestamp_in_future": (gettext_lazy("the signature is right but dated in the future."), _CLOCK),
    "no_webhook_secret": (
        gettext_lazy("no webhook secret is configured on this site."),
        gettext_lazy("Set STRIPE_WEBHOOK_SECRET (or STRIPE_WEBHOOK_SECRET_FILE) and restart; Stripe comes again."),
    ),
    "not_stored": (
        gettext_lazy("the database did not take the event (503)."),
        gettext_lazy("Stripe comes again by itself. See whether the database is up, migrated, and has room."),
    ),
    "server_error": (
        gettext_lazy("an error of our own (500)."),
        gettext_lazy("Stripe comes again by itself. The log has the error under the request id."),
    ),
    "wrong_host": (
        gettext_lazy("it came to a host name that is not ours."),
        gettext_lazy("Correct the address of the endpoint in the Stripe Dashboard, or add the name to ALLOWED_HOSTS."),
    ),
    "wrong_path": (
        gettext_lazy("it came to an address of this site that is not the webhook’s."),
        gettext_lazy("Correct the address of the endpoint in the Stripe Dashboard: it ends with /stripe/webhooks."),
    ),
    "body_too_large": (
        gettext_lazy("the body is longer than any event of Stripe."),
        gettext_lazy("If it comes from Stripe, raise STRIPE_WEBHOOK_MAX_BYTES; otherwise nothing needs to be done."),
    ),
    "thin_event": (
        gettext_lazy("it is a thin event."),
        gettext_lazy("Choose the payload style “snapshot” for this endpoint in the Stripe Dashboard."),
    ),
    "unreadable_body": (gettext_lazy("the body broke off on its way."), _PROXY),
    "incomplete_body": (gettext_lazy("the body was shorter than announced."), _PROXY),
    "length_required": (gettext_lazy("the body came without its length."), _PROXY),
    "bad_content_length": (gettext_lazy("the announced length is no number."), _NOT_STRIPE),
    **{
        code: (gettext_lazy("it is signed, but it is no event of Stripe as we know them."), _VERSION)
        for code in ("not_json", "not_utf8", "too_deep", "not_an_object", "not_an_event", "invalid_event")
    },
}


def cause_of(code: str) -> tuple[str, str]:
    """The cause and what to do, two sentences; of a code that is not known here, the code itself."""
    cause, remedy = CAUSES.get(code, (f"{code}.", _VERSION))
    return str(cause), str(remedy)
