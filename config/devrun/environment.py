"""The environment of a development installation: what the user set, what we remember, what we make up.

Stripe is the emulator beside the site, unless the user brings a test key.
"""

import os
import re
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass

from config.env import EMULATED_KEY, read_dev_file, secret, without_emulator, write_dev_file

# From here up the system hands out ports to outgoing connections: one may be taken at any moment.
FIRST_EPHEMERAL_PORT = 32768
MADE_UP: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(50),
    "STRIPE_WEBHOOK_SECRET": lambda: f"whsec_{secrets.token_urlsafe(32)}",
}
LIVE_KEY = re.compile(r"(sk|rk)_(org_)?live_")


class CannotRun(Exception):
    """The installation cannot start or go on; the message says why in one sentence."""


@dataclass(frozen=True)
class Address:
    """Where one of our web servers listens; the user chooses another port by `setting`."""

    host: str
    port: int
    setting: str = "PORT"

    @classmethod
    def chosen(cls) -> "Address":
        """The site's, by the user in HOST and PORT."""
        return cls(os.environ.get("HOST") or "127.0.0.1", chosen_port("PORT", default=8000))

    @property
    def near(self) -> str:
        """The host by which this machine reaches it."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)

    @property
    def bind(self) -> str:
        return f"{_bracketed(self.host)}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{_bracketed(self.near)}:{self.port}"

    def require_free(self) -> None:
        """Ask before anything is started: a web server that cannot bind says so late and at length."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            socket.create_server((self.host, self.port), family=family).close()
        except socket.gaierror:
            raise CannotRun(f"HOST is {self.host!r}: this machine knows no such name.") from None
        except OSError as refusal:
            raise CannotRun(
                f"Cannot listen on {self.bind} ({os.strerror(refusal.errno or 0)}): stop what "
                f"uses it, or choose another port:  make run {self.setting}={self.port + 2}"
            ) from None


def chosen_port(setting: str, *, default: int) -> int:
    """By the user; raises CannotRun for what is no port."""
    port = os.environ.get(setting) or str(default)
    if not port.isdecimal() or not 0 < int(port) < FIRST_EPHEMERAL_PORT:
        raise CannotRun(f"{setting} is {port!r}; it must be a number from 1 to {FIRST_EPHEMERAL_PORT - 1}.")
    return int(port)


def settle(address: Address, *, database_url: str, stripe: dict[str, str]) -> None:
    """Complete our environment for the children; keep it in `var/dev.env` for other terminals.

    `stripe`: what leads to the emulator, stronger than anything else; empty where the user brings a key.
    """
    remembered = read_dev_file() if stripe else without_emulator(read_dev_file())
    values = remembered | {
        "ENVIRONMENT": os.environ.get("ENVIRONMENT", "development"),
        "SITE_URL": os.environ.get("SITE_URL", address.url),
        "DATABASE_URL": database_url,
    }
    for name, make_up in MADE_UP.items():
        values[name] = os.environ.get(name) or remembered.get(name) or make_up()
    write_dev_file(values | stripe)
    os.environ.update({name: os.environ.get(name) or value for name, value in values.items()} | stripe)


def emulator_beside(site: Address) -> Address | None:
    """Where the emulator will listen; None if the user has a key. Raises CannotRun for a key of live mode."""
    key = _stripe_key()
    if LIVE_KEY.match(key):
        raise CannotRun("STRIPE_SECRET_KEY is a key of live mode: development would move real money. Use a test key.")
    if key and not key.startswith(EMULATED_KEY):
        return None
    emulator = Address(site.host, chosen_port("STRIPE_EMULATOR_PORT", default=site.port + 1), "STRIPE_EMULATOR_PORT")
    if emulator.port == site.port:
        raise CannotRun(f"STRIPE_EMULATOR_PORT and PORT are both {site.port}: the emulator needs a port of its own.")
    return emulator


def stripe_environment(emulator: Address | None) -> dict[str, str]:
    """What leads everything to the emulator; nothing without one."""
    if emulator is None:
        return {}
    key = _stripe_key()
    return {
        "STRIPE_EMULATOR": "1",
        "STRIPE_SECRET_KEY": key or f"{EMULATED_KEY}{secrets.token_hex(16)}",
        "STRIPE_API_BASE": emulator.url,
        # Its pages may be looked at from another machine.
        "STRIPE_EMULATOR_URL": os.environ.get("STRIPE_EMULATOR_URL") or emulator.url,
    }


def _stripe_key() -> str:
    return secret("STRIPE_SECRET_KEY") or read_dev_file().get("STRIPE_SECRET_KEY", "")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
