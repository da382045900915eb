"""What the person at the terminal sees."""

import os
import sys
import time

from config.devenv import ROOT, VAR

COLOURS = {"web": 36, "worker": 35, "beat": 33, "stripe": 34, "ready": 32, "trouble": 31}
LINE = "─" * 78


def say(text: str) -> None:
    """One or more lines, at once. A terminal that is gone must not keep us from stopping in order."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - as long as we live


def coloured(text: str, name: str) -> str:
    """In the colour of that name, where somebody looks at it."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\033[1;{COLOURS[name]}m{text}\033[0m"


def show_ready(url: str, *, emulator: str, staff: str, began: float) -> None:
    """Where to look and what to try. `emulator`: the address of what stands in for Stripe; "" with a real test key."""
    manage = f"{_python()} manage.py"
    rows = {
        "Site": [f"{url}/"],
        "Admin": [f"{url}/admin/", *staff.splitlines()],
        "Stripe": [f"{emulator}/  (emulator)"] if emulator else _real_stripe(url),
        "Mails": [os.path.relpath(VAR / "mails", ROOT)],
        "Try": [f"{manage} open_checkout", f"{manage} send_event checkout.session.completed"],
        "Stop": ["Ctrl-C"],
    }
    headline = coloured(f"  Ready after {time.monotonic() - began:.0f} s", "ready")
    body = "\n".join(f"  {name:<10}" + f"\n{'':12}".join(lines) for name, lines in rows.items())
    say(f"\n{LINE}\n{headline}\n\n{body}\n{LINE}\n")


def _real_stripe(url: str) -> list[str]:
    """Stripe cannot reach this machine by itself."""
    return ["test mode, by your key", f"events:  stripe listen --forward-to {url}/stripe/webhooks"]


def _python() -> str:
    return os.path.relpath(sys.executable, ROOT) if sys.executable.startswith(str(ROOT)) else sys.executable
