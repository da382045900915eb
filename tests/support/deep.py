"""How much the tests try: what a minute allows, or everything where DEEP is set (`make test DEEP=1`)."""

import os

DEEP = os.environ.get("DEEP", "") not in ("", "0")


def so_many(usual: int, *, deep: int) -> int:
    """The size of a test whose meaning does not depend on it."""
    return deep if DEEP else usual
