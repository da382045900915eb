"""Reads the environment: every value stripped, secrets also from files (`NAME_FILE`, as Docker secrets come)."""

from pathlib import Path

from environ import FileAwareEnv

env = FileAwareEnv()
DOCKER_SECRETS = Path("/run/secrets")


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
