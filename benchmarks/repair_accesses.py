"""How long the repair takes to find and heal every hundredth of very many accesses, and to see that all is well.

`.venv/bin/python -m benchmarks.repair_accesses [ACCESSES]`
"""

import time
from datetime import timedelta

from django.core.management import call_command

from benchmarks import how_many
from modules_access.models import ModuleAccess
from modules_access.repair import Report, repair
from modules_access.repair.sources import find_missing
from tests.support.factories import NOON
from tests.support.learners import make_learners, sabotage

LATER = NOON + timedelta(hours=1)


def main() -> None:
    """Prints seconds and accesses per second for a dry run, the repair, and the pass after it."""
    count = how_many("ACCESSES", default=100_000)
    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    make_learners(count)
    accesses = ModuleAccess.objects.count()
    done = sabotage()
    print(f"{accesses} accesses made, {done.total} of them wrong, in {time.perf_counter() - began:.1f} s")
    look()
    for name, is_dry_run in (("dry run", True), ("repair", False), ("second pass", False)):
        tell(name, repair(at=LATER, dry_run=is_dry_run, by="benchmark"), accesses)
    look()


def look() -> None:
    """What the screen "paid without access" reads."""
    began = time.perf_counter()
    lines = len(find_missing(at=LATER, limit=100))
    print(f"{'the screen':>12}: {(time.perf_counter() - began) * 1000:.0f} ms for {lines} lines")


def tell(name: str, report: Report, accesses: int) -> None:
    """One line for one pass."""
    rate = accesses / report.seconds
    print(
        f"{name:>12}: {report.seconds:.1f} s = {rate:,.0f} accesses/s; {report.total} healed {report.counts_by_kind()}"
    )


if __name__ == "__main__":
    main()
