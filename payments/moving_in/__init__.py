"""Moving in: what another system has exported becomes ours, row by row, under the old ids.

`files.py` and `values.py` read; `importers.py` says what an app takes; `run.py` takes it, chunk by chunk. Apps take
part by a module `moving_in`, which says `brings(…)`; people and subscriptions are brought by this room.
"""

from payments.moving_in import people, subscriptions

__all__ = ["people", "subscriptions"]
