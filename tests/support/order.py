"""In which order the tests run, whatever pytest-randomly has made of it."""

from collections.abc import Sequence
from itertools import pairwise

import pytest


def long_ones_first(items: Sequence[pytest.Item], processes: int) -> list[pytest.Item]:
    """The items in an order in which each of the processes, to which xdist deals them in equal slices, begins with
    long ones; those with a browser stay together, because all of them use one site.
    """
    browser = [item for item in items if item.get_closest_marker("browser")]
    slow = [item for item in items if item.get_closest_marker("slow") and item not in browser]
    long = set(browser) | set(slow)
    rest = [item for item in items if item not in long]
    shares = zip(_slices([*browser, *slow], processes), _slices(rest, processes), strict=True)
    return [item for share in shares for part in share for item in part]


def _slices(items: Sequence[pytest.Item], count: int) -> list[Sequence[pytest.Item]]:
    """As many as wanted, in order and of the same length give or take one."""
    ends = [len(items) * number // count for number in range(count + 1)]
    return [items[begin:end] for begin, end in pairwise(ends)]
