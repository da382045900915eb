"""Reads the environment: every value stripped, secrets also from files, and on a development machine what `make run`
has noted in `var/dev.env` for every other command that is started there.
"""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from environ import FileAwareEnv

env = FileAwareEnv()
ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("VAR_DIR", "").strip() or ROOT / "var").resolve()
DEV_FILE = VAR / "dev.env"
DOCKER_SECRETS = Path("/run/secrets")
# These lead to the Stripe emulator and make sense only together.
EMULATED = ("STRIPE_EMULATOR", "STRIPE_SECRET_KEY", "STRIPE_API_BASE", "STRIPE_EMULATOR_URL")
EMULATED_KEY = "sk_test_emulator_"


def text(name: str, default: str = "") -> str:
    """The value of `name` (or of the file that `NAME_FILE` names) without white space around it."""
    return str(env.str(name, default=default)).strip()


def lines(name: str) -> list[str]:
    """A list separated by commas or white space; blanks dropped, order kept, each entry once."""
    return list(dict.fromkeys(text(name).replace(",", " ").split()))


def secret(name: str) -> str:
    """A secret: `NAME`, the file in `NAME_FILE`, else the Docker secret `name`; "" if there is none."""
    if value := text(name):
        return value
    path = DOCKER_SECRETS / name.lower()
    return path.read_text().strip() if path.is_file() else ""


def secrets(name: str) -> list[str]:
    """Several secrets at once (rotation, several endpoints), separated by commas or white space."""
    return list(dict.fromkeys(secret(name).replace(",", " ").split()))


def at_least_one(name: str, default: int) -> int:
    """A whole number. Raises ImproperlyConfigured below 1."""
    value = int(env.int(name, default=default))
    if value < 1:
        raise ImproperlyConfigured(f"{name} must be 1 or more.")
    return value


def load_dev_file() -> None:
    """Fill the gaps of a development environment from `var/dev.env`; tests and servers ignore it."""
    if os.environ.get("ENVIRONMENT", "development").strip() == "development":
        has_key = bool(os.environ.get("STRIPE_SECRET_KEY") or os.environ.get("STRIPE_SECRET_KEY_FILE"))
        for name, value in (without_emulator(read_dev_file()) if has_key else read_dev_file()).items():
            os.environ.setdefault(name, value)


def without_emulator(values: dict[str, str]) -> dict[str, str]:
    """What is left for somebody with a key of their own, who may have noted it there by hand."""
    has_key = not values.get("STRIPE_SECRET_KEY", EMULATED_KEY).startswith(EMULATED_KEY)
    kept = {"STRIPE_SECRET_KEY"} if has_key else set()
    return {name: value for name, value in values.items() if name not in EMULATED or name in kept}


def read_dev_file() -> dict[str, str]:
    """The lines NAME=value of `var/dev.env`; none where it was never made."""
    if not DEV_FILE.is_file():
        return {}
    noted = DEV_FILE.read_text().splitlines()
    return dict(line.split("=", 1) for line in noted if "=" in line and not line.startswith("#"))


def write_dev_file(values: dict[str, str]) -> None:
    """Replace the file in one step, readable by its owner alone from its first moment."""
    DEV_FILE.parent.mkdir(parents=True, exist_ok=True)
    unfinished = DEV_FILE.with_name(f"dev.env.{os.getpid()}")
    unfinished.touch(mode=0o600)
    unfinished.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    unfinished.replace(DEV_FILE)
