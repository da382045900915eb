"""The addresses of what people have: their modules, and the receipts for those that they have bought."""

from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from payments.orders.models import Order
from payments.statuses import WAS_PAID


def encours_path(**told: str) -> str:
    """The person's modules, on this site; `told` becomes the query: what the page is to say first."""
    given = {name: value for name, value in told.items() if value}
    return f"{reverse('encours')}?{urlencode(given)}" if given else reverse("encours")


def encours_url() -> str:
    """The address of the person's modules, for a mail."""
    return f"{settings.SITE_URL}{encours_path()}"


def receipt_path(order: Order) -> str:
    """The receipt for what was paid, be the money still here or given back; "" where nothing was."""
    is_paid = order.amount_received > 0 and order.status in WAS_PAID
    return reverse("module-receipt", args=[order.public_id]) if is_paid else ""


def receipt_url(order: Order) -> str:
    """The receipt, for a mail; "" where nothing was paid."""
    path = receipt_path(order)
    return f"{settings.SITE_URL}{path}" if path else ""
