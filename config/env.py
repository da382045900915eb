"""Reads the environment: every value stripped, secrets also from files, and on a development machine what `make run`
has noted in `var/dev.env` for every other command that is started there.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
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
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")
YES, NO = ("true", "yes", "on", "1", "y", "ok"), ("false", "no", "off", "0", "n")


def text(name: str, default: str = "") -> str:
    """The value of `name` (or of the file that `NAME_FILE` names) without white space around it.

    Raises ImproperlyConfigured for a file that cannot be read, as all here do for a value that means nothing.
    """
    try:
        return str(env.str(name, default=default)).strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error.strerror}.") from error


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


def number(name: str, default: int, *, least: int = 0) -> int:
    """A whole number, `least` or more."""
    written = text(name) or str(default)
    if not WHOLE_NUMBER.fullmatch(written):
        raise ImproperlyConfigured(f"{name} is {written!r}; it must be a whole number.")
    if int(written) < least:
        raise ImproperlyConfigured(f"{name} is {written}; it must be {least} or more.")
    return int(written)


def flag(name: str, *, default: bool) -> bool:
    """Yes or no, in any of the usual words."""
    written = text(name).lower()
    if written and written not in (*YES, *NO):
        raise ImproperlyConfigured(f"{name} is {written!r}; it must be true or false.")
    return written in YES if written else default


@contextmanager
def naming(name: str) -> Iterator[None]:
    """What others say of a value that means nothing to them, with the name of the setting before it."""
    try:
        yield
    except (ImproperlyConfigured, ValueError, LookupError) as error:
        raise ImproperlyConfigured(f"{name} means nothing: {' '.join(str(error).split())}") from error


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
