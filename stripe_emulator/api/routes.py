"""Which function answers which call."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from stripe_emulator.errors import Json, StripeRefusal

LAST_SEGMENT = r"[A-Za-z0-9_.-]{1,255}"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API. `params` have their types; `at` is the real time in Unix seconds.

    `is_pinned`: made under the API version that the SDK speaks; all else keeps the manners of older versions.
    """

    params: Json
    at: int
    is_pinned: bool = True


Answer = Callable[..., Json]


@dataclass(frozen=True, slots=True)
class Route:
    """`params`: the name of the SDK's class; without one nothing is known about the parameters."""

    method: str
    pattern: re.Pattern[str]
    answer: Answer
    params: str


ROUTES: list[Route] = []


def answers(method: str, path: str, *, params: str = "") -> Callable[[Answer], Answer]:
    """Register the function for `path`, such as "customers/{id}"; it is called as `answer(call, id=…)`.

    It runs in a transaction and returns the object as stored; `expand` is seen to by the caller.
    """
    pattern = re.compile(re.sub(r"\\{(\w+)\\}", rf"(?P<\1>{LAST_SEGMENT})", re.escape(path)))

    def register(answer: Answer) -> Answer:
        ROUTES.append(Route(method, pattern, answer, params))
        return answer

    return register


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route and what the path names. Raises StripeRefusal (404)."""
    for route in ROUTES:
        if route.method == method and (match := route.pattern.fullmatch(path)):
            return route, match.groupdict()
    raise StripeRefusal(f"Unrecognized request URL ({method}: /v1/{path}).", status=404)
