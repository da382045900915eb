"""The environment of a development installation: what the user set, what we remember, what we make up."""

import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass

from config import devenv
from config.devrun import CannotRun

# From here up the system hands out ports to outgoing connections: one may be taken at any moment.
FIRST_EPHEMERAL_PORT = 32768
MADE_UP: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(50),
    "STRIPE_WEBHOOK_SECRET": lambda: f"whsec_{secrets.token_urlsafe(32)}",
}


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
    remembered = devenv.read() if stripe else devenv.without_emulator(devenv.read())
    values = remembered | {
        "ENVIRONMENT": os.environ.get("ENVIRONMENT", "development"),
        "SITE_URL": os.environ.get("SITE_URL", address.url),
        "DATABASE_URL": database_url,
    }
    for name, make_up in MADE_UP.items():
        values[name] = os.environ.get(name) or remembered.get(name) or make_up()
    devenv.write(values | stripe)
    os.environ.update({name: os.environ.get(name) or value for name, value in values.items()} | stripe)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
