"""What this process has seen of late: calls and answers, each with its duration.

Appending costs nothing; who counts them takes them out again (payments/tallies.py).
"""

from collections import deque
from enum import StrEnum


class Seen(StrEnum):
    """What was seen. The labels: of a call to Stripe how it ended, of an answer the area and the class of its status
    ("api 2xx"), of a refused delivery the code of its refusal, of a webhook secret how it ends: that it has signed
    something, and that a process has begun which knows it.
    """

    STRIPE_CALL = "stripe_call"
    ANSWER = "answer"
    REFUSAL = "refusal"
    SECRET = "secret"
    SECRET_SET = "secret_set"


# What, its label, how many seconds it took. Where nobody counts, the oldest are forgotten.
seen: deque[tuple[str, str, float]] = deque(maxlen=20_000)
