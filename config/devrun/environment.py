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
    """Where the site listens."""

    host: str
    port: int

    @classmethod
    def chosen(cls) -> "Address":
        """By the user, in HOST and PORT."""
        host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
        if not port.isdecimal() or not 0 < int(port) < FIRST_EPHEMERAL_PORT:
            raise CannotRun(f"PORT is {port!r}; it must be a number from 1 to {FIRST_EPHEMERAL_PORT - 1}.")
        return cls(host, int(port))

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
                f"uses it, or choose another port:  make run PORT={self.port + 1}"
            ) from None


def settle(address: Address, *, database_url: str) -> None:
    """Complete our environment for the children; keep it in `var/dev.env` for other terminals."""
    remembered = devenv.read()
    values = remembered | {
        "ENVIRONMENT": os.environ.get("ENVIRONMENT", "development"),
        "SITE_URL": os.environ.get("SITE_URL", address.url),
        "DATABASE_URL": database_url,
    }
    for name, make_up in MADE_UP.items():
        values[name] = os.environ.get(name) or remembered.get(name) or make_up()
    devenv.write(values)
    os.environ.update({name: os.environ.get(name) or value for name, value in values.items()})


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
