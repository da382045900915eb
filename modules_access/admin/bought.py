"""The order's screen leads to the module that it buys, and to the access that it gives."""

from collections.abc import Iterator

from django.db.models import Model

from modules_access.models import ModuleAccess, Purchase
from modules_access.purchasable import KIND
from payments.admin.bought import shows_bought
from payments.orders.models import Order


@shows_bought(KIND)
def module_of(order: Order) -> Iterator[tuple[Model, str]]:
    """The module by its title, the access by its number."""
    for purchase in Purchase.objects.filter(order=order).select_related("module"):
        yield purchase.module, purchase.module.title
    for access in ModuleAccess.objects.filter(order=order):
        yield access, access.number
