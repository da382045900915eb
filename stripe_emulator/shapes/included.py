"""Fields that Stripe shows only when `expand` asks for them, made at that moment."""

from collections.abc import Callable

from stripe_emulator.models import Json, StoredObject

Maker = Callable[[StoredObject], Json]
INCLUDED: dict[tuple[str, str], Maker] = {}


def included(kind: str, field: str) -> Callable[[Maker], Maker]:
    """Register how the field of such an object is made, for example `("checkout.session", "line_items")`."""

    def register(maker: Maker) -> Maker:
        INCLUDED[kind, field] = maker
        return maker

    return register


def inner_list(rows: list[Json], *, url: str) -> Json:
    """A list object that holds all of its rows."""
    return {"object": "list", "data": rows, "has_more": False, "url": url}
