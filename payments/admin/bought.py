"""What an order bought, as links to the product's own screens: each product registers how to find it."""

from collections.abc import Callable, Iterable

from django.db.models import Model
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from payments.admin.base import link_to
from payments.orders.models import Order

Find = Callable[[Order], Iterable[tuple[Model, str]]]
_finders: dict[str, Find] = {}


def shows_bought(kind: str) -> Callable[[Find], Find]:
    """Register the decorated function for orders of this kind: rows that have a screen, and what they are called."""

    def register(find: Find) -> Find:
        _finders[kind] = find
        return find

    return register


def bought_by(order: Order) -> SafeString | str:
    """The links; a dash where nothing is known of what it bought."""
    find = _finders.get(order.kind)
    links = [(link_to(row, text),) for row, text in find(order)] if find else []
    return format_html_join(" · ", "{}", links) or "–"
