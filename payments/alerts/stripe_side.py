"""What is watched at Stripe: our endpoint."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from payments.alerts.rules import AlertSeverity, Look, Trouble, alert_rule, words
from payments.diagnosis.endpoint_rules import WORDS, values_of
from payments.endpoints.drift import last_drift


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
