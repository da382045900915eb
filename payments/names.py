"""What an order's thing is called outside."""

from uuid import UUID

from payments.orders.models import Order

REGISTRATION = "registration:"


def registration_of(order: Order) -> str:
    """The order's registration: our own public id, else the id of an old system, else ""."""
    names = order.references.filter(name__startswith=REGISTRATION).values_list("name", flat=True)
    ids = [name.removeprefix(REGISTRATION) for name in names]
    return min(ids, key=lambda each: (not _is_uuid(each), each), default="")


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
