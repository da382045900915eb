"""What `make run` set up on a development machine, for every other command that is started there."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("VAR_DIR", "").strip() or ROOT / "var").resolve()
FILE = VAR / "dev.env"


def load() -> None:
    """Fill the gaps of a development environment from `var/dev.env`; tests and servers ignore it."""
    if os.environ.get("ENVIRONMENT", "development").strip() == "development":
        for name, value in read().items():
            os.environ.setdefault(name, value)


def read() -> dict[str, str]:
    """The lines NAME=value of `var/dev.env`; none where it was never made."""
    if not FILE.is_file():
        return {}
    lines = FILE.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def write(values: dict[str, str]) -> None:
    """Replace the file in one step, readable by its owner alone from its first moment."""
    VAR.mkdir(parents=True, exist_ok=True)
    unfinished = FILE.with_name(f"dev.env.{os.getpid()}")
    unfinished.touch(mode=0o600)
    unfinished.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    unfinished.replace(FILE)
