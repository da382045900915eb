"""Takes one effect in hand and never comes back; the argument says of which sort it is: `repeatable` or `once`."""

import sys
import time

import django

django.setup()

from django.utils import timezone  # noqa: E402

from payments.effects.deliver import deliver_due, delivers  # noqa: E402
from payments.effects.models import Effect  # noqa: E402


@delivers("parcel", repeatable=sys.argv[1] == "repeatable")
def never_come_back(effect: Effect) -> None:
    print("in hand", flush=True)
    time.sleep(60)


deliver_due(at=timezone.now(), limit=2)
