"""Which function answers which call, and the pages of lists: https://docs.stripe.com/api/pagination"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from stripe_emulator import store
from stripe_emulator.api.parameters import merged_metadata
from stripe_emulator.errors import Json, NoSuchObject, StripeRefusal
from stripe_emulator.models import StoredObject

LAST_SEGMENT = r"[A-Za-z0-9_.-]{1,255}"
Answer = Callable[..., Json | StoredObject]
USUAL_LIMIT, GREATEST_LIMIT = 10, 100
BOUNDS = {"exact", "gt", "gte", "lt", "lte"}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API. `params` have their types; `at` is the real time in Unix seconds.

    `is_pinned`: made under the API version that the SDK speaks; all else keeps the manners of older versions.
    """

    params: Json
    at: int
    is_pinned: bool = True

    def only(self, names: Iterable[str]) -> Json:
        """The parameters of these names, as far as they were given."""
        return {name: self.params[name] for name in names if name in self.params}

    def metadata(self, before: StoredObject | None = None) -> Json:
        """What the object has after the call; without one `before`, a new object. Raises StripeRefusal."""
        return merged_metadata(before.data["metadata"] if before else {}, self.params.get("metadata"))


@dataclass(frozen=True, slots=True)
class Route:
    """`params`: the name of the SDK's class; without one nothing is known about the parameters."""

    method: str
    pattern: re.Pattern[str]
    answer: Answer
    params: str


ROUTES: list[Route] = []


def route(method: str, path: str, *, params: str = "") -> Callable[[Answer], Answer]:
    """Register the function for `path`, such as "customers/{id}"; it is called as `answer(call, id=…)`.

    It runs in a transaction and returns the object or what is to be shown; the caller sees to `expand`.
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


def readable(
    path: str,
    *,
    kind: str,
    params: str,
    filters: Iterable[str] = (),
    listed: Callable[[Call], QuerySet[StoredObject]] | None = None,
    param: str = "id",
    shows_deleted: bool = True,
) -> None:
    """Register the calls that only read objects of a kind: one by its id, and pages of all.

    `params`: the SDK's classes without their endings, such as "Refund"; `filters` as in `list_objects`, `listed` where
    they do not suffice; `param`: what the refusal of an unknown id names.
    """

    @route("GET", path, params=f"{params}ListParams")
    def list_all(call: Call) -> Json:
        url = f"/v1/{path}"
        return list_page(listed(call), call.params, url=url) if listed else list_objects(kind, call, url, filters)

    @route("GET", f"{path}/{{id}}", params=f"{params}RetrieveParams")
    def retrieve(call: Call, *, id: str) -> Json:
        return store.shown(store.get(kind, id, param=param) if shows_deleted else store.get_living(kind, id))


def list_objects(kind: str, call: Call, url: str, filters: Iterable[str]) -> Json:
    """The living objects of a kind; `filters` are parameters that a field of the same name must equal."""
    return list_page(store.find(kind, **call.only(filters)), call.params, url=url)


def list_page(rows: QuerySet[Any], params: Json, *, url: str, render: Callable[[Any], Json] = store.shown) -> Json:
    """One page of the rows (anything with `stripe_id`, `created`, `number`) as a list object."""
    limit = int(params.get("limit", USUAL_LIMIT))
    if not 1 <= limit <= GREATEST_LIMIT:
        raise StripeRefusal(f"Invalid limit: it must be between 1 and {GREATEST_LIMIT}.", param="limit")
    rows = _created_within(rows, params.get("created"))
    newer, older = params.get("ending_before"), params.get("starting_after")
    if newer and older:
        raise StripeRefusal("You cannot use both `starting_after` and `ending_before`.", param="ending_before")
    if older:
        border = _border(rows, older, param="starting_after")
        rows = rows.filter(Q(created__lt=border.created) | Q(created=border.created, number__lt=border.number))
    if newer:
        border = _border(rows, newer, param="ending_before")
        rows = rows.filter(Q(created__gt=border.created) | Q(created=border.created, number__gt=border.number))
    # What stands right before a row is found backwards; every page begins with its newest.
    order = ("created", "number") if newer else ("-created", "-number")
    found = list(rows.order_by(*order)[: limit + 1])
    page = found[:limit][::-1] if newer else found[:limit]
    shown = [render(row) for row in page]
    return {"object": "list", "data": shown, "has_more": len(found) > limit, "url": url}


def _border(rows: QuerySet[Any], id: str, *, param: str) -> Any:
    """The row at which a page begins or ends. Raises NoSuchObject."""
    border = rows.model._default_manager.filter(stripe_id=id).first()
    if border is None:
        raise NoSuchObject("object", id, param=param)
    return border


def _created_within(rows: QuerySet[Any], created: Any) -> QuerySet[Any]:
    """The rows of this moment, or between the bounds in `gt`, `gte`, `lt`, `lte` (Unix times)."""
    if created is None:
        return rows
    bounds = created if isinstance(created, dict) else {"exact": created}
    if unknown := set(bounds) - BOUNDS:
        raise StripeRefusal(f"Received unknown parameter: created[{min(unknown)}]", param="created")
    try:
        return rows.filter(**{f"created__{name}": int(bound) for name, bound in bounds.items()})
    except ValueError:
        raise StripeRefusal("Invalid timestamp: must be Unix seconds.", param="created") from None
