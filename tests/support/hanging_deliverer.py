"""A process that takes one effect in hand and never comes back: `python -m tests.support.hanging_deliverer repeatable|once`."""

import sys
import time

import django

django.setup()

from django.utils import timezone  # noqa: E402

from payments.effects.deliver import deliver_due  # noqa: E402
from payments.effects.models import Effect  # noqa: E402
from payments.effects.registry import delivers  # noqa: E402


@delivers("parcel", repeatable=sys.argv[1] == "repeatable")
def never_come_back(effect: Effect) -> None:
    print("in hand", flush=True)  # noqa: T201 - whoever kills us waits for this
    time.sleep(60)


deliver_due(at=timezone.now(), limit=2)
