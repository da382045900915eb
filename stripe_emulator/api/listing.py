"""Pages of a list, newest first, both ways: https://docs.stripe.com/api/pagination"""

from typing import Any

from django.db.models import Model, Q, QuerySet

from stripe_emulator import store
from stripe_emulator.errors import Json, NoSuchObject, StripeRefusal

USUAL_LIMIT, GREATEST_LIMIT = 10, 100
BOUNDS = {"exact", "gt", "gte", "lt", "lte"}


def list_objects(kind: str, params: Json, *, url: str, filters: tuple[str, ...] = ()) -> Json:
    """The living objects of a kind; `filters` are parameters that a field of the same name must equal."""
    wanted = {name: params[name] for name in filters if name in params}
    return page(store.find(kind, **wanted), params, url=url, render=lambda stored: stored.data)


def page(rows: QuerySet[Any], params: Json, *, url: str, render: Any) -> Json:
    """One page of the rows (anything with `stripe_id`, `created`, `number`) as a list object."""
    limit = _limit(params)
    rows = created_within(rows, params.get("created"))
    if before := params.get("ending_before"):
        if "starting_after" in params:
            raise StripeRefusal("You can't use starting_after and ending_before at once.", param="ending_before")
        border = _border(rows.model, before, "ending_before")
        newer = rows.filter(Q(created__gt=border.created) | Q(created=border.created, number__gt=border.number))
        found = list(newer.order_by("created", "number")[: limit + 1])
        shown = found[:limit][::-1]
    else:
        if after := params.get("starting_after"):
            border = _border(rows.model, after, "starting_after")
            rows = rows.filter(Q(created__lt=border.created) | Q(created=border.created, number__lt=border.number))
        found = list(rows.order_by("-created", "-number")[: limit + 1])
        shown = found[:limit]
    return {"object": "list", "data": [render(row) for row in shown], "has_more": len(found) > limit, "url": url}


def created_within(rows: QuerySet[Any], created: Any) -> QuerySet[Any]:
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


def _limit(params: Json) -> int:
    limit = int(params.get("limit", USUAL_LIMIT))
    if not 1 <= limit <= GREATEST_LIMIT:
        raise StripeRefusal(f"Invalid limit: it must be between 1 and {GREATEST_LIMIT}.", param="limit")
    return limit


def _border(model: type[Model], id: str, param: str) -> Any:
    found = model._default_manager.filter(stripe_id=id).first()
    if found is None:
        raise NoSuchObject("object", id, param=param)
    return found
