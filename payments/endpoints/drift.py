"""Whether our endpoints at Stripe still are as they should be: looked at every ten minutes; the result is kept."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import structlog

from payments.endpoints.compare import Difference, Kind, differences
from payments.endpoints.models import EndpointLook
from payments.endpoints.wanted import registered
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.stripe_api.lookups import webhook_endpoints

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Drift:
    """What differed when Stripe was asked last; also what is harmless."""

    at: datetime
    differences: Sequence[Difference]

    @property
    def is_drifted(self) -> bool:
        """Whether somebody should look."""
        return any(each.is_drift for each in self.differences)


def check_drift(*, at: datetime) -> Drift | None:
    """Ask Stripe and keep the answer; None where it gave none: then the last one stands. Not inside a transaction."""
    try:
        found = differences(registered(webhook_endpoints()))
    except (GatewayUnavailable, GatewayRefused) as trouble:
        log.warning("webhooks.drift_not_checked", trouble=str(trouble))
        return None
    drift = Drift(at, found)
    kept = {"at": at, "differences": [asdict(each) for each in found]}
    EndpointLook.objects.update_or_create(pk=1, defaults=kept)
    if drift.is_drifted:
        log.warning("webhooks.drifted", differences=[_in_short(each) for each in found if each.is_drift])
    return drift


def last_drift() -> Drift | None:
    """What the last look has found; None where there was none."""
    kept = EndpointLook.objects.first()
    return Drift(kept.at, [_read(row) for row in kept.differences]) if kept else None


def _read(row: dict[str, Any]) -> Difference:
    return Difference(Kind(row["kind"]), row["endpoint"], row["detail"])


def _in_short(difference: Difference) -> str:
    return " ".join(part for part in (difference.kind, difference.endpoint, difference.detail) if part)
