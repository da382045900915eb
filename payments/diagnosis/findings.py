"""What a diagnosis is made of: findings, what heals them, and the rules that make them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from django.db.models import Model
from django.utils.formats import date_format
from django.utils.timezone import localtime

if TYPE_CHECKING:
    from payments.diagnosis.records import Records


class Severity(IntEnum):
    """How much a finding matters. From WAITING on something is not (yet) as it should be.

    UNCHECKED: nobody has answered, so nobody knows.
    """

    FINE = 0
    NOTE = 1
    UNCHECKED = 2
    WAITING = 3
    PROBLEM = 4


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do. `action`: a button that stands on the page of `row`, by its name; `page`: where to go instead.

    `command`: the same as a command line. `permission`: who may see the page; the button has its own.
    """

    sentence: str
    command: str = ""
    row: Model | None = None
    action: str = ""
    page: str = ""
    permission: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found out about `about` (None: about the site). `evidence`: the rows that the sentence tells
    of, beside that: who may not see one of them on its own screen is not told the sentence either.
    """

    sentence: str
    about: Model | None = None
    evidence: Sequence[Model] = ()
    remedy: Remedy | None = None
    code: str = ""
    severity: Severity = Severity.NOTE

    @property
    def rows(self) -> list[Model]:
        """Everything that it tells of, each once."""
        return list(dict.fromkeys([*([self.about] if self.about else []), *self.evidence]))

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        remedy = self.remedy
        return {
            "code": self.code, "severity": self.severity.name.lower(), "about": name_of(self.about),
            "sentence": self.sentence,
            "evidence": [{"type": row._meta.label_lower, "id": row.pk, "name": name_of(row)} for row in self.rows],
            "remedy": {"sentence": remedy.sentence, "command": remedy.command} if remedy else None,
        }  # fmt: skip


def fine(sentence: str) -> Finding:
    """That something was looked at and is as it should be."""
    return Finding(sentence, severity=Severity.FINE)


Rule = Callable[["Records"], Iterable[Finding]]
_rules: dict[str, Rule] = {}


class RuledTwice(RuntimeError):
    """Two rules have one code."""


def rule(code: str, severity: Severity) -> Callable[[Rule], Rule]:
    """Register the decorated function as what finds this; what it yields gets code and severity."""

    def register(find: Rule) -> Rule:
        if code in _rules:
            raise RuledTwice(code)

        def findings(records: "Records") -> Iterator[Finding]:
            for each in find(records):
                yield replace(each, code=code, severity=severity)

        _rules[code] = findings
        return find

    return register


def all_rules() -> dict[str, Rule]:
    """Every rule by its code, in the order in which they were registered."""
    return dict(_rules)


def name_of(row: Model | None) -> str:
    """What people call the row: its number where it has one."""
    return str(getattr(row, "number", "") or row) if row is not None else ""


def moment(when: datetime | None) -> str:
    """A date in the site's time zone; in a sentence in brackets, since in English it may end with a full stop."""
    return date_format(localtime(when), "DATETIME_FORMAT") if when else "–"
