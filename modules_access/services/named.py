"""Finds what other programs name: a module, a person, and a payment in each of its spellings."""

import re
from uuid import UUID

from accounts.models import User
from modules_access.models import AccessType, Module, ModuleAccess
from payments.orders.models import Order

NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
ORDER_NUMBER = re.compile(r"O-([0-9]{1,18})", re.ASCII | re.IGNORECASE)
ACCESS_NUMBER = re.compile(r"A-([0-9]{1,18})", re.ASCII | re.IGNORECASE)
STRIPE_IDS = ("cs_", "pi_")


def find_module(name: str) -> Module | None:
    """By its slug, else by its id."""
    is_number = NUMBER.fullmatch(name)
    return Module.objects.filter(slug=name).first() or (
        Module.objects.filter(pk=int(name)).first() if is_number else None
    )  # fmt: skip


def find_user(name: str) -> User | None:
    """By the id of the account, or by its e-mail address if that is confirmed; nobody whose account is closed."""
    if NUMBER.fullmatch(name):
        return User.objects.filter(pk=int(name), is_active=True).first()
    return User.objects.find_confirmed(name)


def lock_order(name: str) -> Order | None:
    """By its number (O-000123), its public id, or the cs_ or pi_ id with which it was paid. Locks it."""
    orders = Order.objects.select_for_update(no_key=True, of=("self",))
    if number := ORDER_NUMBER.fullmatch(name):
        return orders.filter(pk=int(number[1])).first()
    if name.startswith(STRIPE_IDS):
        return orders.filter(references__name=name).first()
    public_id = _uuid(name)
    return orders.filter(public_id=public_id).first() if public_id else None


def lock_grant(name: str) -> ModuleAccess | None:
    """What staff gave, by its number (A-000123). Locks it."""
    number = ACCESS_NUMBER.fullmatch(name)
    grants = ModuleAccess.objects.filter(access_type=AccessType.GRANT).select_for_update(no_key=True)
    return grants.filter(pk=int(number[1])).first() if number else None


def _uuid(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
