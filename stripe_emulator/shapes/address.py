"""Addresses of buyers, complete: what was not given, or was emptied, is null."""

from stripe_emulator.models import Json

NO_ADDRESS: Json = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}
NO_SHIPPING: Json = {"address": None, "carrier": None, "name": None, "phone": None, "tracking_number": None}


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
