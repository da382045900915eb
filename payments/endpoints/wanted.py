"""What our endpoint at Stripe should be, and which of those that are registered there are ours.

What it is sent follows from the handlers; each type has a rank, as in Stripe's own guides: what is lost without it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from django.conf import settings

from payments.handlers.registry import handled_types
from payments.stripe_api.snapshots import Json
from payments.stripe_api.snapshots.reading import find_object, find_text

# The addresses that the webhook answers at, with and without a slash (config/middleware.py); the first is the usual.
WEBHOOK_PATHS = ("/stripe/webhooks", "/stripe/webhook", "/api/webhooks/stripe")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
ALL_TYPES = "*"
# In the metadata of an endpoint that takes the place of another: that one's id.
REPLACES = "replaces"


class Rank(StrEnum):
    """How much is lost where a type is not sent."""

    CRITICAL = "critical"
    RECOMMENDED = "recommended"
    OPTIONAL = "optional"


# Without these money is not seen, or places and accesses are held for nobody.
CRITICAL = frozenset({
    "checkout.session.completed", "checkout.session.expired", "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed", "payment_intent.payment_failed", "customer.subscription.updated",
    "customer.subscription.deleted", "invoice.paid",
})  # fmt: skip
# These say once more what another type says, or only that something is under way.
OPTIONAL = frozenset({
    "payment_intent.succeeded", "payment_intent.processing", "invoice.payment_succeeded", "invoice_payment.paid",
    "charge.refund.updated", "setup_intent.succeeded", "customer.created", "customer.updated", "customer.deleted",
})  # fmt: skip


def rank_of(event_type: str) -> Rank:
    """Of a type that is handled."""
    if event_type in CRITICAL:
        return Rank.CRITICAL
    return Rank.OPTIONAL if event_type in OPTIONAL else Rank.RECOMMENDED


def wanted_url() -> str:
    """Where Stripe should send."""
    return f"{settings.SITE_URL}{WEBHOOK_PATHS[0]}"


def hears_by_cli() -> bool:
    """Whether this is a machine that Stripe cannot reach: events come by `stripe listen`, which registers nothing."""
    return urlsplit(settings.SITE_URL).hostname in LOOPBACK and not settings.STRIPE_API_BASE


def is_ours(endpoint: Json) -> bool:
    """Whether it leads to this site, whatever its scheme."""
    parts = urlsplit(str(endpoint.get("url") or ""))
    return parts.hostname == urlsplit(settings.SITE_URL).hostname and parts.path.rstrip("/") in WEBHOOK_PATHS


def is_enabled(endpoint: Json) -> bool:
    return endpoint.get("status") == "enabled"


def sent_types(endpoints: Iterable[Json]) -> set[str]:
    """What at least one of these endpoints is sent."""
    return {str(name) for each in endpoints for name in each.get("enabled_events") or ()}


def missing_types(endpoints: Iterable[Json]) -> list[str]:
    """The types that are handled here and sent to none of these endpoints, sorted."""
    sent = sent_types(endpoints)
    return [] if ALL_TYPES in sent else [name for name in handled_types() if name not in sent]


def has_our_scheme(endpoint: Json) -> bool:
    """Whether its address begins as this site's does: what is redirected is lost."""
    return urlsplit(str(endpoint.get("url"))).scheme == urlsplit(settings.SITE_URL).scheme


@dataclass(frozen=True, slots=True)
class Registered:
    """Stripe's endpoints as we see them; ours with the enabled ones first."""

    ours: Sequence[Json]
    others: Sequence[Json]

    @property
    def working(self) -> Sequence[Json]:
        """Those of ours that get events; all of ours where none does."""
        return [each for each in self.ours if is_enabled(each)] or self.ours

    @property
    def replacement(self) -> Json | None:
        """The one of ours that was made to take the place of another of them."""
        ids = {each.get("id") for each in self.ours}
        return next((each for each in self.ours if _replaces(each) in ids), None)

    @property
    def replaced(self) -> Json | None:
        """The one whose place it takes."""
        new = self.replacement
        return next((each for each in self.ours if new and each.get("id") == _replaces(new)), None)


def _replaces(endpoint: Json) -> str:
    return find_text(find_object(endpoint, "metadata"), REPLACES)


def registered(endpoints: Iterable[Json]) -> Registered:
    """Which of all endpoints of the account are ours."""
    rows = list(endpoints)
    ours = sorted((each for each in rows if is_ours(each)), key=lambda each: not is_enabled(each))
    return Registered(ours, [each for each in rows if not is_ours(each)])
