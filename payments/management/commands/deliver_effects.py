"""Delivers what is due: mails, alerts, refunds; once by hand, or all the time beside a worker."""

import os
import signal
import sys
from argparse import ArgumentParser
from contextlib import suppress
from threading import Event, Thread
from typing import Any

import structlog
from django.core.management.base import BaseCommand, no_translations
from django.utils import timezone

from payments.alerts.watch import watch
from payments.effects.deliver import deliver_all, recover_claimed
from payments.figures.rollup import refresh_figures
from payments.incidents.closing import ClosingCutShort, go_on_closing
from payments.processing.loops import HOUSEKEEPING_SECONDS, Every, Loops
from payments.tallies import write_in_background

log = structlog.get_logger(__name__)
INTERVAL_SECONDS, FIGURES_INTERVAL_SECONDS, WATCH_INTERVAL_SECONDS = 5.0, 1.0, 15.0
NICENESS = 10


class Command(BaseCommand):
    """`manage.py deliver_effects`: exit code 0; what was refused has its own time to be tried again."""

    help = "Deliver every mail, alert and refund that is due, once."
    # The worker that starts it has made them.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--beside-worker",
            action="store_true",
            help="as a worker runs it: go on until the standard input ends, at once whenever something comes there",
        )

    @no_translations
    def handle(self, *args: Any, beside_worker: bool, **options: Any) -> None:
        if beside_worker:
            DeliveryLoops().run()
        else:
            self.stdout.write(f"{deliver_all(clock=timezone.now)} taken in hand.")


class DeliveryLoops(Loops):
    """What may take its time, in a process that is not the drain's."""

    def __init__(self) -> None:
        stopping, self.wanted = Event(), Event()
        loops = {"effects": self.deliver_effects, "figures": self.count_and_watch, "incident": self.close_incident}
        super().__init__(loops, stopping=stopping)

    def run(self) -> None:
        """Until the worker ends, which alone hears signals: they may reach a whole group of processes."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, signal.SIG_IGN)
        write_in_background()
        # Where there is more to do than can be done, places and accesses come first; mails follow in a moment.
        os.nice(NICENESS)
        Thread(target=self._listen, name="listen", daemon=True).start()
        self.start()
        log.info("delivery.listening")
        self.wait()
        self.stop()

    def ask_to_stop(self) -> None:
        super().ask_to_stop()
        self.wanted.set()

    def _listen(self) -> None:
        while os.read(sys.stdin.fileno(), 4096):
            self.wanted.set()
        self.ask_to_stop()

    def deliver_effects(self) -> None:
        """Deliver what is due: at once when the worker says so, and every few seconds."""
        housekeeping = Every(HOUSEKEEPING_SECONDS)
        while not self.stopping.is_set():
            if housekeeping.is_due():
                recover_claimed(at=timezone.now())
            deliver_all(clock=timezone.now, should_stop=self.stopping.is_set)
            self.wanted.wait(INTERVAL_SECONDS)
            self.wanted.clear()

    def close_incident(self) -> None:
        """Beside every worker, of whom one at a time does it: what staff have said is over comes to its end. What cuts
        it short stands in the incident, and is tried again.
        """
        pause = 0.0
        while not self.stopping.wait(pause):
            pause = HOUSEKEEPING_SECONDS
            with suppress(ClosingCutShort):
                go_on_closing(clock=timezone.now)
                pause = INTERVAL_SECONDS

    def count_and_watch(self) -> None:
        """Beside every worker, of whom one at a time does it: a mark is worked off within a second or two, and what is
        wrong is told at once.
        """
        watching = Every(WATCH_INTERVAL_SECONDS)
        while not self.stopping.is_set():
            refresh_figures(at=timezone.now())
            if watching.is_due() and (watched := watch(at=timezone.now())) and watched.has_news:
                self.wanted.set()
            self.stopping.wait(FIGURES_INTERVAL_SECONDS)
