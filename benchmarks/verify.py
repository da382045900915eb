"""How long a module waits for the answer whether a token lets somebody in, each use counted; nobody else asks.

`.venv/bin/python -m benchmarks.verify [TIMES]`
"""

import statistics
import time

from django.core.management import call_command
from django.utils import timezone

from benchmarks import how_many
from modules_access.jwt import mint_token
from modules_access.services.verify import verify
from tests.support.modules import make_learner, make_module, make_token


def main() -> None:
    """Prints median and p99 in milliseconds, in one process against its own database."""
    times = how_many("TIMES", default=2_000)
    call_command("migrate", verbosity=0)
    now, module = timezone.now(), make_module()
    token = make_token(make_learner(), module, uses=times + 100, at=now)
    raw = mint_token(token, at=now)
    for _warm_up in range(100):
        verify(raw, module=module, at=timezone.now())
    spent = sorted(_timed(raw, module) for _time in range(times))
    print(f"{times} verifications: median {statistics.median(spent):.2f} ms, p99 {spent[int(times * 0.99)]:.2f} ms")


def _timed(raw: str, module: object) -> float:
    began = time.perf_counter()
    verify(raw, module=module, at=timezone.now())  # type: ignore[arg-type]
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
