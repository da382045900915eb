"""What has to be done before the processes start, in order; all of it can be repeated."""

import os
import subprocess
import sys
import time

from config.devrun import CannotRun
from config.devrun.terminal import say

MANAGE = (sys.executable, "manage.py")
STEPS = {
    "translations": (sys.executable, "-m", "config.catalogues", "compile"),
    "database": (*MANAGE, "migrate", "--noinput"),
    "cache": (*MANAGE, "createcachetable"),
    "demo data": (*MANAGE, "seed_demo"),
    "demo modules": (*MANAGE, "seed_modules"),
}
ENSURE_STAFF = (*MANAGE, "ensure_staff")
WEBHOOK_PATH = "/stripe/webhooks"


def emulator_steps() -> dict[str, tuple[str, ...]]:
    """The emulator delivers to the site, signed with the site's own webhook secret."""
    url = os.environ["SITE_URL"].rstrip("/") + WEBHOOK_PATH
    return {"webhook endpoint": (sys.executable, "-m", "config.devrun.endpoint", url)}


def prepare(*, is_emulated: bool) -> str:
    """Take every step. Returns what was said about the staff account: its password is told only once."""
    for name, command in (STEPS | (emulator_steps() if is_emulated else {})).items():
        began = time.monotonic()
        _run(name, command)
        say(f"  {name} ({time.monotonic() - began:.1f} s)")
    return _run("staff account", ENSURE_STAFF)


def _run(name: str, command: tuple[str, ...]) -> str:
    """The output; it is shown at once only if the step fails."""
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        say(done.stdout + done.stderr)
        raise CannotRun(f"The step “{name}” failed: {' '.join(command[1:])}")
    return done.stdout.strip()
