"""Does the process of this container live? For Docker's health checks: `python -m config.alive web|worker|beat`.

Only the process itself is asked, as by `/livez`: a restart would not repair a database. A worker whose database is away
for minutes seems dead all the same; to start it anew harms nothing. Loads no Django, so that it costs next to nothing.
"""

import os
import sys
import time
import urllib.request
from collections.abc import Iterable
from pathlib import Path

PORT = 8000
ANSWER_SECONDS = 5
# A worker touches its file every 15 seconds, the timetable writes every 3 minutes.
WORKER_SILENCE, BEAT_SILENCE = 3 * 60, 10 * 60


def web() -> bool:
    """It answers under the site's own name: Django refuses others."""
    host = os.environ.get("ALLOWED_HOSTS", "localhost").replace(",", " ").split()[0].lstrip(".")
    url = f"http://127.0.0.1:{os.environ.get('PORT', PORT)}/livez"
    try:
        urllib.request.urlopen(urllib.request.Request(url, headers={"Host": host}), timeout=ANSWER_SECONDS)
    except OSError:
        return False
    return True


def worker() -> bool:
    """Its loop goes round."""
    return _is_fresh([Path(os.environ.get("WORKER_READY_FILE", ""))], seconds=WORKER_SILENCE)


def beat() -> bool:
    """It goes on noting what was due."""
    return _is_fresh(Path(os.environ.get("VAR_DIR", "var")).glob("beat*"), seconds=BEAT_SILENCE)


def _is_fresh(files: Iterable[Path], *, seconds: float) -> bool:
    """Whether one of them was written in the last so many seconds."""
    return any(path.is_file() and time.time() - path.stat().st_mtime < seconds for path in files)


KINDS = {"web": web, "worker": worker, "beat": beat}

if __name__ == "__main__":
    sys.exit(0 if KINDS[sys.argv[1]]() else 1)
