"""Parts of several objects: lists, addresses, fields that only `expand` shows."""

from collections.abc import Callable
from typing import Any

from stripe_emulator.errors import Json
from stripe_emulator.models import StoredObject
from stripe_emulator.store import new_id

Maker = Callable[[StoredObject], Json]
EXPANDABLE: dict[tuple[str, str], Maker] = {}
NO_ADDRESS: Json = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}
NO_SHIPPING: Json = {"address": None, "carrier": None, "name": None, "phone": None, "tracking_number": None}


def expandable(kind: str, field: str) -> Callable[[Maker], Maker]:
    """Register how the field of such an object is made, for example `("checkout.session", "line_items")`."""

    def register(maker: Maker) -> Maker:
        EXPANDABLE[kind, field] = maker
        return maker

    return register


def nulls(names: str) -> Json:
    """Fields that are null until somebody says otherwise; the names between blanks."""
    return dict.fromkeys(names.split())


def zeros(names: str) -> Json:
    """Amounts and counts that begin with nothing."""
    return dict.fromkeys(names.split(), 0)


def empty_lists(names: str) -> Json:
    """Lists that nobody fills here."""
    return {name: [] for name in names.split()}


def template(kind: str, prefix: str, **defaults: Any) -> Callable[..., Json]:
    """What makes a new object of a kind: `make(at, **fields)`, born at that moment, with an id of its own."""

    def make(at: int, **fields: object) -> Json:
        return {"object": kind, **defaults, "id": new_id(prefix), "created": at, **fields}

    return make


def list_object(rows: list[Json], *, url: str) -> Json:
    """A list object that holds all of its rows."""
    return {"object": "list", "data": rows, "has_more": False, "url": url}


def full_address(given: Json | None) -> Json | None:
    """The address; None where there is none."""
    return _filled(NO_ADDRESS, given) if given else None


def full_shipping(given: Json | None) -> Json | None:
    """Name and address of a parcel; None where there is none."""
    if not given:
        return None
    return _filled(NO_SHIPPING, given) | {"address": _filled(NO_ADDRESS, given.get("address") or {})}


def _filled(empty: Json, given: Json) -> Json:
    return {name: given.get(name) or None for name in empty}
