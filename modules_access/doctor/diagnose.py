"""Answers why somebody has (no) access: reads the question, judges link by link, and changes nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import User
from modules_access.doctor.chains import Records, chains_of, no_chain, read_purchases, read_records
from modules_access.doctor.diagnosis import Chain, Conclusion, Diagnosis
from modules_access.doctor.links import no_account_link
from modules_access.models import Module, Purchase
from modules_access.services.tokens import find_module
from payments.billing.models import Customer
from payments.names import read_key
from payments.orders.models import Order


class InvalidQuestion(ValueError):
    """Nobody and nothing is called so, or the names do not belong together; the text says which."""


@dataclass(frozen=True, slots=True)
class DoctorQuestion:
    """Whose access, to what, by which order. `email`: an address that nobody has here."""

    user: User | None = None
    module: Module | None = None
    order: Order | None = None
    email: str = ""


def parse_question(*, user: str = "", module: str = "", order: str = "") -> DoctorQuestion:
    """From text: e-mail or id; slug or id; O-000123, UUID, cs_… or pi_…. Raises InvalidQuestion."""
    if not (user or order):
        raise InvalidQuestion(_("Name a person or an order."))
    person = _person(user) if user else None
    found = _module(module) if module else None
    bought = _order(order) if order else None
    return DoctorQuestion(person, found, bought, "" if person else user.lower())


def _person(name: str) -> User | None:
    if key := read_key(name):
        if person := User.objects.filter(pk=key).first():
            return person
        raise InvalidQuestion(_("Nobody here has the id %s.") % name)
    if "@" not in name:
        raise InvalidQuestion(_("“%s” is neither an e-mail address nor an id.") % name)
    return User.objects.filter(email=name).first()


def _module(name: str) -> Module:
    if found := find_module(name):
        return found
    raise InvalidQuestion(_("No module is called “%s”.") % name)


def _order(name: str) -> Order:
    """By its number, or by any name under which its events find it."""
    order = Order.objects.called(name).first()
    if order is None:
        raise InvalidQuestion(_("No order is called “%s”.") % name)
    return order


def diagnose(question: DoctorQuestion, *, at: datetime) -> Diagnosis:
    """Whether this person gets into this module (else: into each of theirs), or what this order bought.

    Raises InvalidQuestion where person, module and order do not belong together.
    """
    question = _complete(question)
    if question.user is None:
        return Diagnosis(at, [_stranger(question)])
    order_id = question.order.pk if question.order else None
    records = read_records(question.user, module=question.module, order_id=order_id, at=at)
    return Diagnosis(at, list(_verdicts(records)))


def diagnose_orders(order_ids: Iterable[int], *, at: datetime) -> list[Conclusion]:
    """What each of these orders bought, and whether it lets in; those that buy no module are left out."""
    found: list[Conclusion] = []
    for bought in read_purchases(order__in=list(order_ids)):
        records = read_records(
            bought.user, module=bought.module, order_id=bought.order_id, at=at, purchases=[bought]
        )  # fmt: skip
        found += _verdicts(records)
    return found


def _complete(question: DoctorQuestion) -> DoctorQuestion:
    """The order says who and what; it must be what the question names."""
    if question.order is None:
        if question.user is None and not question.email:
            raise InvalidQuestion(_("Name a person or an order."))
        return question
    bought = Purchase.objects.select_related("user", "module").filter(order=question.order).first()
    if bought is None:
        raise InvalidQuestion(_("%(order)s buys no module: %(label)s.") % {
            "order": question.order.number, "label": question.order.label or question.order.kind,
        })  # fmt: skip
    if question.email or (question.user and question.user != bought.user):
        raise InvalidQuestion(_("%s belongs to somebody else.") % question.order.number)
    if question.module and question.module != bought.module:
        raise InvalidQuestion(_("%s buys another module.") % question.order.number)
    return DoctorQuestion(bought.user, bought.module, question.order)


def _verdicts(records: Records) -> Iterator[Conclusion]:
    """Each module once, in the catalogue's order."""
    found: dict[int, list[Chain]] = {}
    for module_id, chain in chains_of(records):
        found.setdefault(module_id, []).append(chain)
    modules = {row.pk: row for row in (*records.modules.values(), *(each.module for each in records.purchases))}
    for key in sorted(found, key=lambda each: (modules[each].position, modules[each].slug)):
        yield Conclusion(records.user.email, records.user, modules[key], found[key])
    if not found:
        yield Conclusion(records.user.email, records.user, records.module, [no_chain(records)])


def _stranger(question: DoctorQuestion) -> Conclusion:
    customers = Customer.objects.filter(email=question.email).order_by("pk").values_list("stripe_id", flat=True)
    link = no_account_link(question.email, customers=list(customers))
    return Conclusion(question.email, None, question.module, [Chain("", "", [link])])
