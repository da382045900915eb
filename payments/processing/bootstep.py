"""Lets a Celery worker run the loops: from before it looks for its broker until it stops."""

from typing import Any

from celery import bootsteps

from payments.processing.loops import Loops


class ProcessingStep(bootsteps.StartStopStep):
    """A step of the worker itself, not of its consumer, so that it starts and goes on while the broker is away."""

    # After the pool, so that its children are forked before there are threads and connections to inherit.
    requires = ("celery.worker.components:Pool",)

    def create(self, parent: Any) -> Loops:  # type: ignore[override] # the stubs say None
        return Loops()

    def close(self, parent: Any) -> None:
        """The first word of a stop: the loops come to their end while the other steps still stop."""
        self.obj.ask_to_stop()
