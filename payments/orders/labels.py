"""Changes in words for people: the history keeps field names and stored values, staff read labels and amounts."""

import re

from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateTimeField, Field
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from payments.billing.models import Customer, Subscription
from payments.money import format_amount
from payments.orders.models import Order
from payments.products import all_products
from payments.statuses import DisputeStatus, MoneyBack, OrderStatus, RefundStatus, SubscriptionStatus

NO_VALUE = "–"
# What has a name and an amount of its own: `paid in_1`, `refunded in_1`, `refunded by ch_1`, `lost in_1`.
MONEY = ("paid", "refunded", "lost", "elsewhere")
# An amount as the history keeps it; it says its currency where that is not its owner's.
AMOUNT = re.compile(r"(?P<units>[0-9]+)(?: (?P<currency>[a-z]{3}))?", re.ASCII)


def name_of(what: str) -> str:
    """`amount_refunded` → "Refunded"; money, a refund or a dispute keeps its id."""
    special = {
        "place": _("place"),
        "superseded": _("came too late"),
        "clean-up": _("clean-up"),
        "freed": _("place freed by hand"),
        "called off": _("called off"),
        "withdrawn": _("the buyer cannot come"),
        "address": _("address corrected"),
        "message": _("message sent again"),
        "offered": _("place offered by staff"),
        "again": _("refund tried again"),
        "linked": _("money linked by staff"),
        "ended": _("end asked for by staff"),
        "deleted": _("deleted at Stripe"),
        "erased": _("person erased"),
        **{name: str(label) for product in all_products() for name, label in product.field_labels.items()},
    }
    field = _field(what)
    noun, _space, stripe_id = what.partition(" ")
    nouns = {
        "refund": _("refund"),
        "dispute": _("dispute"),
        "fraud": _("fraud warning"),
        "paid": _("paid"),
        "refunded": _("refunded"),
        "lost": _("lost to disputes"),
        "elsewhere": _("by another way"),
        "details": _("details"),
        "name": pgettext("of something", "name"),
    }
    label = str(field.verbose_name) if field else special.get(what, nouns.get(noun, noun))
    return str(capfirst(f"{label} {stripe_id.removeprefix('by ')}".strip()))


def value_of(what: str, stored: str, *, currency: str) -> str:
    """`PAID` → "Paid", `4900` → "€49.00", `3000 usd` → "$30.00", "" → a dash. `currency`: its owner's."""
    if not stored:
        return NO_VALUE
    noun = what.partition(" ")[0]
    if what.startswith("amount") or noun in MONEY:
        return _amount(stored, currency=currency)
    if what == "clean-up":
        return _(stored)  # kept as an English sentence, marked where it was written
    if what == "deleted" or isinstance(_field(what), DateTimeField):
        return _moment(stored)
    if noun in ("refund", "dispute"):
        return _state_and_amount(noun, stored, currency=currency)
    for product in all_products():
        if stored in product.value_labels:
            return ": ".join(str(part) for part in product.value_labels[stored])
    return _labels().get(stored, stored)


def _amount(stored: str, *, currency: str) -> str:
    """As it is where it is no amount, or in no currency that is known."""
    found = AMOUNT.fullmatch(stored)
    known = (found["currency"] or currency) if found else ""
    return format_amount(int(found["units"]), known) if found and known else stored


def _state_and_amount(noun: str, stored: str, *, currency: str) -> str:
    """ "succeeded 900" → "Succeeded, €9.00"; a word that we do not know stays Stripe's own."""
    state, _space, amount = stored.partition(" ")
    words = RefundStatus.choices if noun == "refund" else DisputeStatus.choices
    word = str(dict(words).get(state, state))
    return f"{word}, {_amount(amount, currency=currency)}" if amount else word


def _moment(stored: str) -> str:
    """In the site's time zone."""
    moment = parse_datetime(stored)
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT") if moment and moment.tzinfo else stored


def _labels() -> dict[str, str]:
    """Every stored word that staff call otherwise: orders write theirs large, subscriptions small."""
    states = [
        *MoneyBack.choices, *OrderStatus.choices, *SubscriptionStatus.choices,
        *Order._meta.get_field("dispute_state").flatchoices,
    ]  # fmt: skip
    return {str(value): str(label) for value, label in states} | {"held": _("held"), "free": _("free")}


def _field(name: str) -> "Field | None":
    for model in (Order, Subscription, Customer):
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:
            continue
        return field if isinstance(field, Field) else None
    return None
