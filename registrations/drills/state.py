"""The drill that runs: a file in `var/`, written before each step, so that `end` finds its way back from anywhere."""

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from config import env

FILE = "drill.json"


class DrillRefused(Exception):
    """Nothing was changed; the sentence says why."""


@dataclass(slots=True)
class Run:
    """One drill under way. `orders`: the ids of its buyers' orders; `endpoints`: those that were enabled before."""

    drill: str
    started_at: datetime
    hints: int = 0
    is_ready: bool = False
    activity: str = ""
    orders: list[int] = field(default_factory=list)
    endpoints: list[str] = field(default_factory=list)

    @property
    def mark(self) -> str:
        """What names this run at Stripe and in addresses; no other run has it."""
        return f"drill-{self.drill}-{self.started_at:%Y%m%d-%H%M%S}"

    def keep(self) -> None:
        """Whole or not at all: a process that dies meanwhile leaves what was there before."""
        told = {**asdict(self), "started_at": self.started_at.isoformat()}
        new = _path().with_suffix(".new")
        new.write_text(json.dumps(told, indent=1))
        os.replace(new, _path())


def begin_run(*, drill: str, at: datetime) -> Run:
    """A new one. Raises DrillRefused while another runs: of two processes that begin at once, one is refused."""
    _path().parent.mkdir(parents=True, exist_ok=True)
    try:
        os.close(os.open(_path(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise DrillRefused("A drill runs already: `manage.py drill status` shows it, `drill end` ends it.") from None
    run = Run(drill, at)
    run.keep()
    return run


def current_run() -> Run:
    """The one that runs. Raises DrillRefused where none does, or where its file cannot be read."""
    try:
        told = json.loads(_path().read_text())
        return Run(**{**told, "started_at": datetime.fromisoformat(told["started_at"])})
    except FileNotFoundError:
        raise DrillRefused("No drill runs: `manage.py drill start NAME` begins one.") from None
    except (ValueError, TypeError, KeyError):
        raise DrillRefused(
            f"{_path()} is damaged. Look at the endpoints with `manage.py stripe_webhooks plan`, then remove the file."
        ) from None


def forget_run() -> None:
    """No drill runs any more."""
    _path().unlink(missing_ok=True)


def _path() -> Path:
    return env.VAR / FILE
