"""Changes in words for people: the history keeps field names and stored values, staff read labels and amounts."""

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from payments.money import format_amount
from payments.orders.models import Order

NOTHING = "–"


def name_of(what: str) -> str:
    """`amount_refunded` → "Refunded"; a refund or dispute keeps its id."""
    special = {
        "place": _("place"),
        "superseded": _("came too late"),
        "clean-up": _("clean-up"),
        "freed": _("place freed by hand"),
        "called off": _("called off"),
        "message": _("message sent again"),
    }
    field = _order_field(what)
    noun, _space, stripe_id = what.partition(" ")
    nouns = {"refund": _("refund"), "dispute": _("dispute")}
    label = str(field.verbose_name) if field else special.get(what, nouns.get(noun, noun))
    return str(capfirst(f"{label} {stripe_id}".strip()))


def value_of(what: str, stored: str, *, currency: str) -> str:
    """`PAID` → "Paid", `4900` → "49.00 EUR", "" → a dash."""
    if not stored:
        return NOTHING
    if what.startswith("amount_") and stored.isdecimal():
        return format_amount(int(stored), currency)
    if what == "clean-up":
        return _(stored)  # kept as an English sentence, marked where it was written
    field = _order_field("status" if what == "superseded" else what)
    labels = {str(value): str(label) for value, label in (field.flatchoices if field else ())}
    places = {"held": _("held"), "free": _("free")}
    return labels.get(stored) or places.get(stored) or stored


def _order_field(name: str) -> "Field | None":
    try:
        field = Order._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return field if isinstance(field, Field) else None
