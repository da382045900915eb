"""Many rows, a few hundred at a time."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

CHUNK = 500


def chunks_of(rows: QuerySet[Any]) -> Iterator[list[int]]:
    """The ids of the rows, each once, in order."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True).distinct())
    for begin in range(0, len(ids), CHUNK):
        yield ids[begin : begin + CHUNK]
