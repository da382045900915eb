"""The form of the chaos settings, and settings that are ready to use."""

from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stripe_emulator.errors import StripeRefusal
from stripe_emulator.events.chaos import GREATEST, SWITCHES, Chaos, ChaosRefused
from stripe_emulator.pages.console.actions import Given

LABELS = {
    "seed": _("Seed: the same one gives the same sequence"),
    "duplicates": _("Extra copies of every event"),
    "shuffle": _("Shuffled within so many events"),
    "delay_seconds": _("Delayed by at most, in seconds"),
    "drop_percent": _("Never sent by themselves, in percent"),
    "wrong_livemode_percent": _("With a twin of live mode, in percent"),
    "other_version_percent": _("Other API version, in percent"),
    "slow_seconds": _("Answers come later by, in seconds"),
    "unreachable_percent": _("First try finds nobody, in percent"),
    "lost_answer_percent": _("First answer gets lost, in percent"),
    "same_second": _("All events are created in the same second"),
    "rotation": _("Secrets are being rotated: two signatures"),
}
PRESETS = {
    "off": Chaos(),
    "mild": Chaos(duplicates=1, shuffle=5, delay_seconds=5, unreachable_percent=5),
    "storm": Chaos(
        duplicates=3,
        shuffle=50,
        delay_seconds=60,
        drop_percent=10,
        same_second=True,
        wrong_livemode_percent=2,
        other_version_percent=50,
        rotation=True,
        unreachable_percent=20,
        lost_answer_percent=20,
    ),
}
PRESET_LABELS = {"off": _("Off"), "mild": _("Mild"), "storm": _("Storm")}


@dataclass(frozen=True, slots=True)
class Field:
    """One control of the form; `greatest` is None for a switch."""

    name: str
    label: str
    value: int | bool
    greatest: int | None


def fields_of(chaos: Chaos) -> list[Field]:
    """Numbers first, then switches, each with its present value."""
    return [
        Field(name, str(LABELS.get(name, name)), getattr(chaos, name), GREATEST.get(name))
        for name in (*GREATEST, *SWITCHES)
    ]


def save(given: Given) -> None:
    """What was sent becomes the settings. Raises StripeRefusal for values that make no sense, and changes nothing."""
    try:
        told: dict[str, Any] = {name: int(given.get(name) or 0) for name in GREATEST}
        told |= {name: given.get(name) == "on" for name in SWITCHES}
        Chaos(**told).save()
    except ChaosRefused as refusal:
        raise StripeRefusal(str(refusal)) from None
    except ValueError:
        raise StripeRefusal(gettext("Every chaos setting is a whole number.")) from None


def save_preset(name: str) -> None:
    """Ready settings, under the seed that is set. Raises StripeRefusal."""
    if name not in PRESETS:
        raise StripeRefusal(gettext("There is no such preset."))
    replace(PRESETS[name], seed=Chaos.current().seed).save()
