"""What is asked, from the names that people have in hand; what nobody here is called is said in a sentence."""

from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from modules_access.models import Module
from modules_access.services.named import NUMBER, ORDER_NUMBER
from payments.orders.models import Order, Reference


class NotKnown(ValueError):
    """It cannot be asked like this; the text says why."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose access, to what, by which order. `email`: an address that nobody has here."""

    user: User | None = None
    module: Module | None = None
    order: Order | None = None
    email: str = ""


def ask(*, user: str = "", module: str = "", order: str = "") -> Asked:
    """The same from text: e-mail or id; slug or id; O-000123, UUID, cs_… or pi_…. Raises NotKnown."""
    if not (user or order):
        raise NotKnown(_("Name a person or an order."))
    person = _person(user) if user else None
    found = _module(module) if module else None
    bought = _order(order) if order else None
    return Asked(person, found, bought, "" if person else user.lower())


def _person(name: str) -> User | None:
    if NUMBER.fullmatch(name):
        if person := User.objects.filter(pk=int(name)).first():
            return person
        raise NotKnown(_("Nobody here has the id %s.") % name)
    if "@" not in name:
        raise NotKnown(_("“%s” is neither an e-mail address nor an id.") % name)
    return User.objects.filter(email=name.lower()).first()


def _module(name: str) -> Module:
    number = int(name) if NUMBER.fullmatch(name) else 0
    found = list(Module.objects.filter(Q(slug=name) | Q(pk=number)))
    if found:
        return max(found, key=lambda module: module.slug == name)
    raise NotKnown(_("No module is called “%s”.") % name)


def _order(name: str) -> Order:
    """By its number, or by any name under which its events find it."""
    if number := ORDER_NUMBER.fullmatch(name):
        order = Order.objects.filter(pk=int(number[1])).first()
    else:
        known = Reference.objects.select_related("order").filter(name__in=[name, f"order:{name.lower()}"]).first()
        order = known.order if known else None
    if order is None:
        raise NotKnown(_("No order is called “%s”.") % name)
    return order
