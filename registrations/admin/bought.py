"""The order's screen leads to the registration that it pays."""

from collections.abc import Iterator

from django.db.models import Model

from payments.admin.bought import shows_bought
from payments.orders.models import Order
from registrations.models import Registration
from registrations.purchasable import KIND


@shows_bought(KIND)
def registration_of(order: Order) -> Iterator[tuple[Model, str]]:
    """The registration, by the person's name."""
    for row in Registration.objects.filter(order=order):
        yield row, row.name
