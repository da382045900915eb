"""Our own site, which sends a task for each event that it has kept before it answers."""

import json
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any

from config.wsgi import application as site
from one_task_per_event.tasks import apply_event


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    with closing(site(environ, start_response)) as answer:
        body = b"".join(answer)
    if environ["REQUEST_METHOD"] == "POST":
        told = json.loads(body)
        if "event" in told and not told["duplicate"]:
            apply_event.delay(told["event"])
    return [body]
