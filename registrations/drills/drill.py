"""What a drill is made of, and how it is judged: points for what was needed, none for what must not happen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.db import OperationalError, connection

from registrations.drills.state import Run

FULL_SCORE = 100
COST_OF_A_HINT = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """`missing`: what is not as it should be, in a sentence; "" where all is. `done_at`: since when, where known."""

    missing: str = ""
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """Something that is needed, or (as a trap) that must not happen. It only looks, at our rows and at Stripe.

    `points`: won where it is done; lost where a trap has sprung. `remedy`: the page or the command that does it.
    """

    name: str
    points: int
    needed: str
    remedy: str
    look: Callable[[Run], Finding]


class Drill:
    """One incident. `ticket`: what staff are told, symptoms only; `hints`: from the vaguest to the plainest."""

    name: ClassVar[str]
    teaches: ClassVar[str]
    ticket: ClassVar[str]
    hints: ClassVar[Sequence[str]]
    checks: ClassVar[Sequence[Check]]
    traps: ClassVar[Sequence[Check]]

    def begin(self, run: Run) -> None:
        """Break it, and let buyers come. Raises DrillRefused, GatewayRefused, GatewayUnavailable."""
        raise NotImplementedError

    def end(self, run: Run) -> list[str]:
        """Put back what the drill has changed beside its buyers; safe to be done again. Returns what was done.

        Raises GatewayRefused, GatewayUnavailable.
        """
        return []


@dataclass(frozen=True, slots=True)
class Line:
    """One check as it stands."""

    check: Check
    finding: Finding
    is_trap: bool = False

    @property
    def is_well(self) -> bool:
        return not self.finding.missing

    @property
    def points(self) -> int:
        """Below zero for a trap that has sprung."""
        if self.is_trap:
            return 0 if self.is_well else -self.check.points
        return self.check.points if self.is_well else 0


@dataclass(frozen=True, slots=True)
class Score:
    """How it stands. `minutes`: from the start to the last thing that was done, or until now."""

    lines: Sequence[Line]
    hints: int
    minutes: int

    @property
    def is_solved(self) -> bool:
        """All that was needed is done, and no trap has sprung."""
        return all(line.is_well for line in self.lines)

    @property
    def points(self) -> int:
        return max(0, sum(line.points for line in self.lines) - COST_OF_A_HINT * self.hints)


def judge(drill: Drill, run: Run, *, at: datetime) -> Score:
    """Look at everything, change nothing; while the database is away nothing is done, and nothing done wrongly.

    Raises GatewayRefused, GatewayUnavailable.
    """
    if not _database_answers():
        away = Finding("The database does not answer.")
        lines, minutes = [Line(check, away) for check in drill.checks], (at - run.started_at).total_seconds() / 60
        return Score(lines, run.hints, round(minutes))
    needed = [Line(check, check.look(run)) for check in drill.checks]
    traps = [Line(trap, trap.look(run), is_trap=True) for trap in drill.traps]
    moments = [line.finding.done_at for line in needed if line.finding.done_at]
    is_over = all(line.is_well for line in needed) and moments
    took = (max(moments) if is_over else at) - run.started_at
    return Score([*needed, *traps], run.hints, max(0, round(took.total_seconds() / 60)))


def _database_answers() -> bool:
    try:
        connection.ensure_connection()
    except OperationalError:
        return False
    return True
