"""What a repair has compared, found and done, in numbers and one by one."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from modules_access.entitlements import kind_of_change
from modules_access.models import ModuleAccess
from payments.apply.outcome import Outcome

# More of them have one cause, which the first thousand show.
MAX_DIFFERENCES = 1000
CHANGE_KINDS = ("created", "withdrawn", "given_back", "moved")
FieldChange = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """What was wrong with one access. `fields`: column, before, after. `access` "": there was none.

    `source`: what it follows: O-000001, sub_…, or how a token begins.
    """

    access: str
    access_type: str
    source: str
    person: str
    module: str
    what: str
    fields: list[FieldChange]

    @property
    def fingerprint(self) -> str:
        """Equal for equal differences, whenever they are found."""
        return repr((self.access, self.access_type, self.source, self.what, self.fields))


def difference_of(before: ModuleAccess | None, after: ModuleAccess) -> Difference | None:
    """What became of one access; None if nothing did. Both bring user, module and source."""
    was = _columns(before) if before else dict.fromkeys(_columns(after), "")
    fields = [(name, was[name], value) for name, value in _columns(after).items() if was[name] != value]
    if not fields:
        return None
    return Difference(
        access=before.number if before else "", access_type=after.access_type, source=source_name(after),
        person=after.user.email, module=after.module.slug, fields=fields,
        what=kind_of_change(before.is_active if before else None, after.is_active),
    )  # fmt: skip


def source_name(access: ModuleAccess) -> str:
    """What the access follows, as people call it; a grant is its own."""
    if access.order:
        return access.order.number
    return str(access.subscription or access.token or access.number)


def _columns(access: ModuleAccess) -> dict[str, str]:
    return {
        "user": access.user.email,
        "module": access.module.slug,
        "is_active": "yes" if access.is_active else "no",
        "expires_at": access.expires_at.isoformat() if access.expires_at else "never",
        "ended_reason": access.ended_reason,
    }


@dataclass(slots=True)
class Report:
    """One repair. `compared`: sources by kind; `counts`: accesses by what gives them and kind of change.

    `mails`: by kind, not yet sent; `repaired_ids`: what was put right, by the column that names such an owner.
    """

    at: datetime
    dry_run: bool = False
    by: str = ""
    compared: Counter[str] = field(default_factory=Counter)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    mails: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    seconds: float = 0.0
    is_complete: bool = False
    repaired_ids: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    outcome: Outcome = field(default_factory=Outcome)
    """All else that comes of what somebody has chosen: what goes out, what staff are asked."""

    def add(self, found: Iterable[Difference], mails: Counter[str], outcome: Outcome | None) -> None:
        """Count them all, and keep the first of them."""
        if outcome:
            self.outcome = Outcome.of_all([self.outcome, outcome])
        for each in found:
            self.counts[each.access_type, each.what] += 1
            if len(self.differences) < MAX_DIFFERENCES:
                self.differences.append(each)
        self.mails += mails

    @property
    def total(self) -> int:
        """How many accesses differed."""
        return self.counts.total()

    def counts_by_kind(self) -> dict[str, int]:
        """`created`, `withdrawn`, `given_back` and `moved`, each with its number, be it 0."""
        return {kind: sum(n for (_type, what), n in self.counts.items() if what == kind) for kind in CHANGE_KINDS}

    def counts_by_source(self) -> dict[str, dict[str, int]]:
        """The kinds of change that occurred, for each type of access."""
        found: dict[str, dict[str, int]] = {}
        for (access_type, what), number in sorted(self.counts.items()):
            found.setdefault(access_type, {})[what] = number
        return found

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "dry_run": self.dry_run, "finished": self.is_complete, "looked": dict(self.compared),
            "differed": self.total, "counts": self.counts_by_kind(), "by_source": self.counts_by_source(),
            "mails": dict(self.mails), "seconds": round(self.seconds, 3),
            "differences": [asdict(each) for each in self.differences],
        }  # fmt: skip
