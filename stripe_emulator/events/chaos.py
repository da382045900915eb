"""What can go wrong on the way to the product, switchable and seeded: the same seed gives the same sequence."""

import random
from dataclasses import asdict, dataclass, fields, replace

from django.db import connection
from django.utils.translation import gettext as _

from stripe_emulator import clock
from stripe_emulator.errors import Json
from stripe_emulator.models import Emulation, Event

# The greatest value of every setting that is a number; the least is 0, which switches it off.
GREATEST = {
    "seed": 2**53,
    "duplicates": 10,
    "shuffle": 1000,
    "delay_seconds": 3 * 24 * 3600,
    "drop_percent": 100,
    "wrong_livemode_percent": 100,
    "other_version_percent": 100,
    "slow_seconds": 60,
    "unreachable_percent": 100,
    "lost_answer_percent": 100,
}
SWITCHES = ("same_second", "rotation")
TWIN = "wrong_livemode"  # the variation of a delivery


class ChaosRefused(ValueError):
    """A setting that makes no sense; the message says which values do."""


@dataclass(frozen=True, slots=True)
class Copy:
    """How one copy of an event travels. `later`: by how many places it moves back in the queue."""

    is_dropped: bool
    later: float
    delay: int
    variation: Json


@dataclass(frozen=True, slots=True)
class Chaos:
    """The settings. Raises ChaosRefused for values that make no sense."""

    seed: int = 1
    duplicates: int = 0
    """Extra copies of every event."""
    shuffle: int = 0
    """The window, in events."""
    delay_seconds: int = 0
    """The longest delay, by the emulator's clock."""
    drop_percent: int = 0
    """Events that are never sent by themselves, with all of their copies."""
    same_second: bool = False
    """Every event says that it was created in the second in which this was switched on."""
    wrong_livemode_percent: int = 0
    """Events with a twin of live mode: another id, otherwise the same. The product must not take it."""
    other_version_percent: int = 0
    rotation: bool = False
    """The header carries the signature of another secret first."""
    slow_seconds: int = 0
    """Every answer seems to come so much later."""
    unreachable_percent: int = 0
    """The first try finds nobody."""
    lost_answer_percent: int = 0
    """The answer to the first try gets lost."""
    first_event: int = 0
    """Set by `save`: the number of the first event that it applies to."""
    began_at: int = 0
    """Set by `save`: real Unix time."""

    def __post_init__(self) -> None:
        for name, greatest in GREATEST.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= greatest:
                values = {"name": name, "greatest": greatest, "value": value}
                raise ChaosRefused(_("%(name)s must be a whole number from 0 to %(greatest)s, not %(value)s.") % values)
        for name in SWITCHES:
            if not isinstance(getattr(self, name), bool):
                raise ChaosRefused(_("%(name)s is either on or off.") % {"name": name})

    @classmethod
    def current(cls) -> "Chaos":
        """What is switched on now; `is_on` tells whether anything is."""
        return cls.of(Emulation.current())

    @classmethod
    def of(cls, emulation: Emulation) -> "Chaos":
        """What these settings of the emulator say."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in emulation.chaos.items() if name in known})

    @property
    def is_on(self) -> bool:
        """Whether anything can go wrong at all."""
        settings = [name for name in (*GREATEST, *SWITCHES) if name != "seed"]
        return any(getattr(self, name) for name in settings)

    def save(self) -> "Chaos":
        """Let it apply to every event from now on; without any setting, switch it off. Returns what was stored."""
        begun = replace(self, first_event=_next_event(), began_at=clock.real_now())
        Emulation.current()
        Emulation.objects.update(chaos=asdict(begun) if self.is_on else {})
        return begun

    def copies(self, event_number: int, *, endpoint: int) -> list[Copy]:
        """How this event travels to the endpoint with this place among all, in the order of its copies."""
        k = event_number - self.first_event
        dice = random.Random(f"{self.seed}:{k}:{endpoint}")
        is_dropped, has_twin = _hits(dice, self.drop_percent), _hits(dice, self.wrong_livemode_percent)
        copies = [self._copy(dice, is_dropped=is_dropped) for _n in range(1 if is_dropped else 1 + self.duplicates)]
        return [*copies, Copy(False, 0.0, 0, {TWIN: True})] if has_twin else copies

    def _copy(self, dice: random.Random, *, is_dropped: bool) -> Copy:
        """Throws the same dice whatever is set: one setting leaves the outcome of the others alone."""
        later, delay = dice.random() * self.shuffle, int(dice.random() * (self.delay_seconds + 1))
        happens = {
            "other_version": _hits(dice, self.other_version_percent),
            "unreachable": _hits(dice, self.unreachable_percent),
            "lost_answer": _hits(dice, self.lost_answer_percent),
            "rotation": self.rotation,
            "slow_seconds": self.slow_seconds,
        }
        return Copy(is_dropped, later, delay, {name: value for name, value in happens.items() if value})


def _hits(dice: random.Random, percent: int) -> bool:
    return dice.random() * 100 < percent


def _next_event() -> int:
    """The number that the next event gets; numbers that were given out and rolled back count."""
    with connection.cursor() as cursor:
        sequence = "pg_get_serial_sequence(%s, 'number')::regclass"
        cursor.execute(f"SELECT coalesce(pg_sequence_last_value({sequence}), 0) + 1", [Event._meta.db_table])
        (number,) = cursor.fetchone()
    return int(number)
