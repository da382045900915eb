"""What `make run` set up on a development machine, for every other command that is started there."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("VAR_DIR", "").strip() or ROOT / "var").resolve()
FILE = VAR / "dev.env"
# These lead to the Stripe emulator and make sense only together.
EMULATED = ("STRIPE_EMULATOR", "STRIPE_SECRET_KEY", "STRIPE_API_BASE", "STRIPE_EMULATOR_URL")
EMULATED_KEY = "sk_test_emulator_"


def load() -> None:
    """Fill the gaps of a development environment from `var/dev.env`; tests and servers ignore it."""
    if os.environ.get("ENVIRONMENT", "development").strip() == "development":
        has_key = bool(os.environ.get("STRIPE_SECRET_KEY") or os.environ.get("STRIPE_SECRET_KEY_FILE"))
        for name, value in (without_emulator(read()) if has_key else read()).items():
            os.environ.setdefault(name, value)


def without_emulator(values: dict[str, str]) -> dict[str, str]:
    """What is left for somebody with a key of their own, who may have noted it there by hand."""
    has_key = not values.get("STRIPE_SECRET_KEY", EMULATED_KEY).startswith(EMULATED_KEY)
    kept = {"STRIPE_SECRET_KEY"} if has_key else set()
    return {name: value for name, value in values.items() if name not in EMULATED or name in kept}


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
