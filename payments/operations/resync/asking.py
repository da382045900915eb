"""The questions of one run, with a pause between them: Stripe's limit belongs to the buyers first."""

from collections.abc import Iterator, Mapping
from typing import Any

from payments.actions.asking import Paced
from payments.stripe_api import lookups
from payments.stripe_api.gateway import Answer
from payments.stripe_api.snapshots import Json


class Asking(Paced):
    """Everything raises GatewayUnavailable and GatewayRefused."""

    def one(self, what: str, name: str) -> Answer:
        """The answer of `lookups.look_up_…` for this name."""
        self.wait()
        answer: Answer = getattr(lookups, what)(name)
        return answer

    def many(self, what: str, name: str) -> list[Json]:
        """The rows of `lookups.…_of` for this name."""
        self.wait()
        rows: list[Json] = getattr(lookups, what)(name)
        return rows

    def pages(self, what: str, params: Mapping[str, Any]) -> Iterator[list[Json]]:
        """The pages of a list, the newest objects first."""
        pages = lookups.pages(what, params)
        while True:
            self.wait()
            page = next(pages, None)
            if page is None:
                return
            yield page
