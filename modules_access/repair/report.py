"""What a repair has looked at, found and done, in numbers and one by one."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from modules_access.models import ModuleAccess

# Who finds more has one cause, which the first thousand tell.
MOST_KEPT = 1000
WORDS = ("created", "withdrawn", "given_back", "moved")
Field = tuple[str, str, str]


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
    fields: list[Field]

    @property
    def sign(self) -> str:
        """The same for the same difference, whenever it is looked at."""
        return repr((self.access, self.access_type, self.source, self.what, self.fields))


def difference_of(before: ModuleAccess | None, after: ModuleAccess) -> Difference | None:
    """What became of one access; None if nothing did. Both bring user, module and source."""
    was = _columns(before) if before else dict.fromkeys(_columns(after), "")
    fields = [(name, was[name], value) for name, value in _columns(after).items() if was[name] != value]
    if not fields:
        return None
    return Difference(
        access=before.number if before else "", access_type=after.access_type, source=source_of(after),
        person=after.user.email, module=after.module.slug, what=_word(before, after), fields=fields,
    )  # fmt: skip


def source_of(access: ModuleAccess) -> str:
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


def _word(before: ModuleAccess | None, after: ModuleAccess) -> str:
    if before is None:
        return "created"
    if before.is_active == after.is_active:
        return "moved"
    return "given_back" if after.is_active else "withdrawn"


@dataclass(slots=True)
class Report:
    """One repair. `looked`: sources by kind; `counts` by type of access and word; `mails` by kind, still to be sent.

    `healed`: the ids of what was put right, by the column that names such an owner.
    """

    at: datetime
    dry_run: bool = False
    by: str = ""
    looked: Counter[str] = field(default_factory=Counter)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    mails: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    seconds: float = 0.0
    is_whole: bool = False
    healed: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def add(self, found: Iterable[Difference], mails: Counter[str]) -> None:
        """Take them into the numbers, and the first of them into the list."""
        for each in found:
            self.counts[each.access_type, each.what] += 1
            if len(self.differences) < MOST_KEPT:
                self.differences.append(each)
        self.mails += mails

    @property
    def total(self) -> int:
        """How many accesses differed."""
        return self.counts.total()

    def by_word(self) -> dict[str, int]:
        """`created`, `withdrawn`, `given_back` and `moved`, each with its number, be it 0."""
        return {word: sum(n for (_type, what), n in self.counts.items() if what == word) for word in WORDS}

    def by_type(self) -> dict[str, dict[str, int]]:
        """The same for each type of access."""
        told: dict[str, dict[str, int]] = {}
        for (access_type, what), number in sorted(self.counts.items()):
            told.setdefault(access_type, {})[what] = number
        return told

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "dry_run": self.dry_run, "finished": self.is_whole, "looked": dict(self.looked), "differed": self.total,
            "counts": self.by_word(), "by_source": self.by_type(), "mails": dict(self.mails),
            "seconds": round(self.seconds, 3), "differences": [asdict(each) for each in self.differences],
        }  # fmt: skip
