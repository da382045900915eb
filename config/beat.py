"""The timetable's process, `celery -A config beat`: it sends names of tasks, and needs nothing of what they do.

Without tasks, apps and the database's driver it takes less than half the memory.
"""

import subprocess
import sys

from celery import Celery
from celery.apps import beat


class Beat(beat.Beat):
    """Celery's, which would load every task, and Django for them."""

    app: Celery

    def init_loader(self) -> None:
        """Ask a process that ends with its answer whether the site itself would start here; load nothing."""
        if code := subprocess.call([sys.executable, "-m", "config.startup"]):
            raise SystemExit(code)
        self.app.finalize()
