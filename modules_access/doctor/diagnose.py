"""Answers why somebody has (no) access: reads, judges link by link, and changes nothing."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import User
from modules_access.doctor.access import no_account_link
from modules_access.doctor.ask import Asked, NotKnown
from modules_access.doctor.chains import chains_of, no_chain
from modules_access.doctor.links import Chain, Diagnosis, Verdict
from modules_access.doctor.read import Known, read
from modules_access.models import Module, Purchase
from payments.billing.models import Customer
from payments.orders.models import Order


def diagnose(
    *, user: User | None = None, module: Module | None = None, order: Order | None = None, email: str = "", at: datetime
) -> Diagnosis:
    """Whether this person gets into this module (else: into each of theirs), or what this order bought.

    `email`: an address that nobody has here. Raises NotKnown where these do not belong together.
    """
    asked = _joined(Asked(user, module, order, email))
    if asked.user is None:
        return Diagnosis(at, [_stranger(asked)])
    order_id = asked.order.pk if asked.order else None
    known = read(asked.user, module=asked.module, order_id=order_id, at=at)
    return Diagnosis(at, list(_verdicts(known)))


def _joined(asked: Asked) -> Asked:
    """The order says who and what; it must be what was asked about."""
    if asked.order is None:
        if asked.user is None and not asked.email:
            raise NotKnown(_("Name a person or an order."))
        return asked
    bought = Purchase.objects.select_related("user", "module").filter(order=asked.order).first()
    if bought is None:
        raise NotKnown(_("%(order)s buys no module: %(label)s.") % {
            "order": asked.order.number, "label": asked.order.label or asked.order.kind,
        })  # fmt: skip
    if asked.email or (asked.user and asked.user != bought.user):
        raise NotKnown(_("%s belongs to somebody else.") % asked.order.number)
    if asked.module and asked.module != bought.module:
        raise NotKnown(_("%s buys another module.") % asked.order.number)
    return Asked(bought.user, bought.module, asked.order)


def _verdicts(known: Known) -> Iterator[Verdict]:
    """Each module once, in the catalogue's order."""
    found: dict[int, list[Chain]] = {}
    for module_id, chain in chains_of(known):
        found.setdefault(module_id, []).append(chain)
    modules = {row.pk: row for row in (*known.modules.values(), *(each.module for each in known.purchases))}
    for key in sorted(found, key=lambda each: (modules[each].position, modules[each].slug)):
        yield Verdict(known.user.email, known.user, modules[key], found[key])
    if not found:
        yield Verdict(known.user.email, known.user, known.module, [no_chain(known)])


def _stranger(asked: Asked) -> Verdict:
    customers = Customer.objects.filter(email=asked.email).order_by("pk").values_list("stripe_id", flat=True)
    link = no_account_link(asked.email, customers=list(customers))
    return Verdict(asked.email, None, asked.module, [Chain("", "", [link])])
