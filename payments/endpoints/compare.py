"""What differs between our endpoints at Stripe and what they should be: told by the set-up, mended by `apply`, and
looked for all the time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from payments.endpoints.wanted import (
    Rank,
    Registered,
    has_our_scheme,
    hears_by_cli,
    is_enabled,
    missing_types,
    rank_of,
)


class Kind(StrEnum):
    """In which way. The values are kept (payments/endpoints/drift.py)."""

    NONE = "none"
    TWICE = "twice"
    ROTATING = "rotating"
    SCHEME = "scheme"
    DISABLED = "disabled"
    STANDBY = "standby"
    CRITICAL = "critical"
    RECOMMENDED = "recommended"
    OPTIONAL = "optional"
    VERSION = "version"


# On purpose, or without harm: no drift.
HARMLESS = frozenset({Kind.ROTATING, Kind.STANDBY, Kind.OPTIONAL})


@dataclass(frozen=True, slots=True)
class Difference:
    """One of them. `endpoint`: the id of the one at Stripe, "" for all of ours; `detail`: what is there, or missing."""

    kind: Kind
    endpoint: str = ""
    detail: str = ""

    @property
    def is_drift(self) -> bool:
        """Whether somebody should look."""
        return self.kind not in HARMLESS


def differences(found: Registered) -> list[Difference]:
    """The gravest kinds first; none where all is as it should be, or where events come by `stripe listen`."""
    if not found.ours:
        others = ", ".join(str(each.get("url")) for each in found.others)
        return [] if hears_by_cli() else [Difference(Kind.NONE, detail=others)]
    return [*_number(found), *_scheme(found), *_disabled(found), *_types(found), *_version(found)]


def _number(found: Registered) -> Iterator[Difference]:
    if len(found.ours) > 1:
        kind = Kind.ROTATING if len(found.ours) == 2 and found.replacement else Kind.TWICE
        yield Difference(kind, detail=", ".join(f"{each.get('url')} ({each.get('id')})" for each in found.ours))


def _scheme(found: Registered) -> Iterator[Difference]:
    for each in found.working:
        if not has_our_scheme(each):
            yield Difference(Kind.SCHEME, str(each.get("id")), str(each.get("url")))


def _disabled(found: Registered) -> Iterator[Difference]:
    """Beside one that works a disabled one may be off on purpose."""
    kind = Kind.STANDBY if any(map(is_enabled, found.ours)) else Kind.DISABLED
    for each in found.ours:
        if not is_enabled(each):
            yield Difference(kind, str(each.get("id")), str(each.get("url")))


def _types(found: Registered) -> Iterator[Difference]:
    missing = missing_types(found.working)
    for rank in Rank:
        if types := [name for name in missing if rank_of(name) is rank]:
            yield Difference(Kind(rank), detail=", ".join(types))


def _version(found: Registered) -> Iterator[Difference]:
    """The endpoint's own, for ever; one that is being replaced is on its way out."""
    for each in found.working:
        version = each.get("api_version")
        if version != settings.STRIPE_API_VERSION and each is not found.replaced:
            yield Difference(Kind.VERSION, str(each.get("id")), str(version or ""))
