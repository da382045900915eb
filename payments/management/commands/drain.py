"""Processes the events that are due: once by hand, or all the time for those who run no Celery worker."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, no_translations

from payments.processing.drain import drain
from payments.processing.worker import Worker


class Command(BaseCommand):
    """`manage.py drain`: exit code 0; the events that failed have their own time to come back."""

    help = "Process every payment event that is due, once; with --watch go on until told to stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--watch", action="store_true", help="go on: new events at once, effects too, as a worker does"
        )

    @no_translations
    def handle(self, *args: Any, watch: bool, **options: Any) -> None:
        if watch:
            self.watch()
        else:
            self.stdout.write(f"{drain()} events processed.")

    def watch(self) -> None:
        """What a worker does beside its tasks, until SIGTERM or Ctrl-C."""
        worker = Worker()
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: worker.ask_to_stop())
        worker.start()
        self.stdout.write("Watching the ledger. Ctrl-C ends it.")
        worker.wait()
        worker.stop()
