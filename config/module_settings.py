"""What can be set about modules and their tokens (docs/adr/0011-module-access.md)."""

import hashlib
from dataclasses import dataclass, field

from django.core.exceptions import ImproperlyConfigured

from config.env import env, secrets

SHORTEST_SECRET = 32


@dataclass(frozen=True, slots=True)
class ModuleSettings:
    """`jwt_secrets`: the first signs, all are accepted. `pass_seconds`: how long somebody has to arrive at a module.

    One service key may call `api_rate_max` times in `api_rate_window` seconds.
    """

    jwt_secrets: tuple[str, ...] = field(repr=False)
    token_hours: int
    token_uses: int
    pass_seconds: int
    api_rate_max: int
    api_rate_window: int


def module_settings(secret_key: str) -> ModuleSettings:
    """Read from the environment. Without JWT_SECRET one is derived from SECRET_KEY. Raises ImproperlyConfigured."""
    given = secrets("JWT_SECRET") or [hashlib.sha256(f"module tokens {secret_key}".encode()).hexdigest()]
    if min(map(len, given)) < SHORTEST_SECRET:
        raise ImproperlyConfigured(
            f"JWT_SECRET must have {SHORTEST_SECRET} characters or more; each of them, where there are several."
        )
    return ModuleSettings(
        tuple(given),
        token_hours=_at_least_one("MODULE_TOKEN_HOURS", 72),
        token_uses=_at_least_one("MODULE_TOKEN_USES", 100),
        pass_seconds=_at_least_one("MODULE_PASS_SECONDS", 300),
        api_rate_max=_at_least_one("MODULE_API_RATE_MAX", 6000),
        api_rate_window=_at_least_one("MODULE_API_RATE_WINDOW", 60),
    )


def _at_least_one(name: str, default: int) -> int:
    value = int(env.int(name, default=default))
    if value < 1:
        raise ImproperlyConfigured(f"{name} must be 1 or more.")
    return value
