"""What is told to the road, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from payments.apply.batch import Target
from payments.apply.money import Taken
from payments.facts import About, Fact


@dataclass(frozen=True, slots=True)
class Telling:
    """What one event (or one look at Stripe) tells: facts about one thing, by whom, and when it happened."""

    facts: Sequence[Fact]
    source: str
    occurred_at: datetime
    event_id: int | None = None
    request_id: str = ""
    follow_anyway: bool = False
    """Let the product follow even if the order did not move: what a replay is for."""
    is_anew: bool = False
    """All that Stripe knows, asked for whole: it replaces what was known of what it speaks of (payments.apply.anew)."""

    @property
    def about(self) -> About:
        return self.facts[0].about


@dataclass(slots=True)
class Applied:
    """What became of one telling: applied to what `parts` say, ignored for `reason`, or refused with `error`."""

    telling: Telling
    reason: str = ""
    error: Exception | None = None
    parts: list[tuple[Target, Taken]] = field(default_factory=list)
    order_id: int | None = None
    subscription_id: int | None = None

    @property
    def taken(self) -> Taken:
        """All that was brought about, whatever it was about."""
        total = Taken()
        for _target, taken in self.parts:
            total.add(taken)
        return total


@dataclass(slots=True)
class Report:
    """What became of each telling, in their order, and the names that were new."""

    applied: list[Applied]
    taught: set[str]
