"""How fast one process empties the queue.

`.venv/bin/python -m config.devdb exec --ephemeral -- .venv/bin/python -m benchmarks.drain [EVENTS]`

Every event pays another order: state, history, effects, places and the mark are all written.
"""

import time

from django.core.management import call_command
from django.utils import timezone

from benchmarks import how_many
from benchmarks.world import event_about, ledger_row, make_registrations
from payments.ledger.models import PaymentEvent
from payments.processing.drain import drain, drain_batch
from registrations.models import Registration


def main() -> None:
    """Prints events per second for each fifth of the backlog: they should not fall as the tables fill."""
    count = how_many("EVENTS", default=20_000)
    call_command("migrate", verbosity=0)
    now = timezone.now()
    rows = make_registrations(count, activities=20, at=now, prefix=f"b{int(now.timestamp())}")
    PaymentEvent.objects.bulk_create(
        (ledger_row(event_about(row, "checkout.session.completed", at=now), at=now) for row in rows),
        batch_size=1000,
    )
    print(f"{count} events queued")
    started = last = time.perf_counter()
    done = since = 0
    while batch := drain_batch(at=timezone.now()):
        done += batch
        if done - since >= count // 5:
            spent = time.perf_counter() - last
            print(f"{done:>7} events: {(done - since) / spent:,.0f}/s")
            last, since = time.perf_counter(), done
    drain()
    spent = time.perf_counter() - started
    paid = Registration.objects.filter(pk__in=[row.pk for row in rows], status="PAID").count()
    print(f"{done} events in {spent:.1f} s = {done / spent:,.0f}/s; {paid} registrations paid")


if __name__ == "__main__":
    main()
