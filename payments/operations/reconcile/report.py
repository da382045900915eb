"""What a run has seen, found and done, in numbers and one by one."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum

# A run that finds more has one cause, which the first thousand tell.
MOST_FINDINGS = 1000
LONGEST = 300


class Done(StrEnum):
    """What was done about a finding. LEFT: no money is at stake, and the clean-up sees to it."""

    PUT_RIGHT = "put right"
    TO_BE_PUT_RIGHT = "to be put right"
    ASKED = "a person was asked"
    LEFT = "left to the clean-up"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject` differs in `what`: `here` and `at_stripe`."""

    subject: str
    what: str
    here: str
    at_stripe: str
    done: Done

    def told(self) -> dict[str, str]:
        """As it is kept; one text is no longer than a line or two."""
        return {name: str(value)[:LONGEST] for name, value in asdict(self).items()}


@dataclass(slots=True)
class Report:
    """`compared` by kind of object; `foreign`: those of other products in the account, which are left alone."""

    compared: Counter[str] = field(default_factory=Counter)
    foreign: int = 0
    put_right: set[str] = field(default_factory=set)
    for_a_person: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        """Take it into the list and into the numbers."""
        self.findings.append(finding)
        match finding.done:
            case Done.PUT_RIGHT | Done.TO_BE_PUT_RIGHT:
                self.put_right.add(finding.subject)
            case Done.ASKED | Done.FAILED:
                self.for_a_person.add(finding.subject)

    @property
    def counts(self) -> dict[str, int]:
        """`put_right` and `for_a_person` count orders and subscriptions, `missing` names that Stripe does not know."""
        return {
            "compared": self.compared.total(),
            "put_right": len(self.put_right),
            "for_a_person": len(self.for_a_person),
            "missing": len(self.missing),
            "foreign": self.foreign,
            "findings": len(self.findings),
            **{kind: count for kind, count in sorted(self.compared.items())},
        }

    @property
    def kept(self) -> list[dict[str, str]]:
        """The findings as the run keeps them."""
        return [finding.told() for finding in self.findings[:MOST_FINDINGS]]
