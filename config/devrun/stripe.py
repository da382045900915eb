"""Stripe for a development installation: the emulator beside the site, unless the user brings a test key."""

import os
import re
import secrets

from config import devenv
from config.devrun import CannotRun
from config.devrun.environment import Address, chosen_port
from config.env import secret

LIVE_KEY = re.compile(r"(sk|rk)_(org_)?live_")


def emulator_beside(site: Address) -> Address | None:
    """Where the emulator will listen; None if the user has a key. Raises CannotRun for a key of live mode."""
    key = secret("STRIPE_SECRET_KEY") or devenv.read().get("STRIPE_SECRET_KEY", "")
    if LIVE_KEY.match(key):
        raise CannotRun("STRIPE_SECRET_KEY is a key of live mode: development would move real money. Use a test key.")
    if key and not key.startswith(devenv.EMULATED_KEY):
        return None
    emulator = Address(site.host, chosen_port("STRIPE_EMULATOR_PORT", default=site.port + 1), "STRIPE_EMULATOR_PORT")
    if emulator.port == site.port:
        raise CannotRun(f"STRIPE_EMULATOR_PORT and PORT are both {site.port}: the emulator needs a port of its own.")
    return emulator


def stripe_environment(emulator: Address | None) -> dict[str, str]:
    """What leads everything to the emulator; nothing without one."""
    if emulator is None:
        return {}
    key = secret("STRIPE_SECRET_KEY") or devenv.read().get("STRIPE_SECRET_KEY", "")
    return {
        "STRIPE_EMULATOR": "1",
        "STRIPE_SECRET_KEY": key or f"{devenv.EMULATED_KEY}{secrets.token_hex(16)}",
        "STRIPE_API_BASE": emulator.url,
        # Its pages may be looked at from another machine.
        "STRIPE_EMULATOR_URL": os.environ.get("STRIPE_EMULATOR_URL") or emulator.url,
    }
