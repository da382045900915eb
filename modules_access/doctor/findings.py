"""What the doctor says, as findings of the diagnosis (payments.diagnosis): the first broken link of each chain."""

import re
from collections.abc import Iterator
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from modules_access.doctor.diagnose import DoctorQuestion, diagnose, diagnose_orders
from modules_access.doctor.diagnosis import ACCESS, Chain, Conclusion, Link
from modules_access.doctor.links import ACCOUNT, ENCOURS, TOKEN
from modules_access.models import ORDER_KIND, AccessToken, ModuleAccess
from payments.diagnosis import Finding, Records, Remedy, Severity
from payments.names import may_be_old_id, read_number, read_uuid
from payments.products import Lead

# A page is about one person, or a few with one address.
MAX_PEOPLE = 3
TOKEN_BEGINNING = re.compile(r"[0-9a-f]{8}", re.ASCII)
LAST_OF_GROUP = "-ffff-ffff-ffff-ffffffffffff"
# What breaks before these is told by the diagnosis of the money itself.
OWN_LINKS = (ACCOUNT, ACCESS, TOKEN, ENCOURS)
PERMISSION = "modules_access.diagnose_access"


def leads_to(text: str) -> Iterator[Lead]:
    """The access or the tokens that people call so; by the primary key, or the index of all tokens."""
    if number := read_number(text, prefix="A"):
        for access in ModuleAccess.objects.filter(pk=number):
            yield Lead(access, access.order_id, access.subscription_id, access.user_id)
    beginning, whole = text.lower(), read_uuid(text)
    if whole or TOKEN_BEGINNING.fullmatch(beginning):
        first = whole or UUID(f"{beginning}-0000-0000-0000-000000000000")
        last = whole or UUID(f"{beginning}{LAST_OF_GROUP}")
        for token in AccessToken.objects.filter(jti__range=(first, last)).order_by("jti")[:MAX_PEOPLE]:
            yield Lead(token, token.order_id, None, token.user_id)
    # An old id that is a UUID is the token's own, too.
    for token in AccessToken.objects.filter(external_id=text) if whole is None and may_be_old_id(text) else ():
        yield Lead(token, token.order_id, None, token.user_id)


def findings_about(records: Records) -> Iterator[Finding]:
    """For each module that the people have to do with; else for what the orders and subscriptions bought."""
    asked = [row for row in records.named.rows if isinstance(row, ModuleAccess | AccessToken)]
    for conclusion in _conclusions(records):
        if conclusion.module is None or conclusion.user is None:
            continue
        if asked:
            yield from (_finding(conclusion, chain) for chain in conclusion.chains if _is_about(chain, asked))
        else:
            yield _finding(conclusion, conclusion.best)


def _conclusions(records: Records) -> Iterator[Conclusion]:
    subscribers = [row.customer.user for row in records.subscriptions if row.customer and row.customer.user_id]
    people: list[User] = list(dict.fromkeys([*records.users, *filter(None, subscribers)]))
    for person in people[:MAX_PEOPLE]:
        yield from diagnose(DoctorQuestion(user=person), at=records.at).verdicts
    bought = [order.pk for order in records.orders if order.kind == ORDER_KIND]
    if bought and not people:
        yield from diagnose_orders(bought, at=records.at)


def _is_about(chain: Chain, rows: list[ModuleAccess | AccessToken]) -> bool:
    return any(link.about == row for link in chain.links for row in rows)


def _finding(conclusion: Conclusion, chain: Chain) -> Finding:
    broken = chain.broken
    about = chain.links[-1].about or conclusion.user
    rows = [row for link in chain.links if (row := link.about) is not None]
    evidence: list[Model] = [*rows, *filter(None, [conclusion.user, conclusion.module])]
    if broken is None:
        told = _("%(person)s is let in to “%(module)s”.") % {"person": conclusion.who, "module": conclusion.module}
        return Finding(told, about, evidence, code="module.open", severity=Severity.FINE)
    severity = Severity.PROBLEM if broken.name in OWN_LINKS else Severity.NOTE
    told = _("“%(module)s”: %(sentence)s") % {"module": conclusion.module, "sentence": broken.sentence}
    return Finding(told, about, evidence, _remedy(conclusion, broken), f"module.{broken.name}", severity)


def _remedy(conclusion: Conclusion, link: Link) -> Remedy:
    """The whole chain, and the repair, stand on the doctor's own page."""
    module = conclusion.module
    asked = {"user": conclusion.user.pk if conclusion.user else "", "module": module.slug if module else ""}
    page = f"{reverse('admin:modules_access_doctor')}?{urlencode(asked)}"
    return Remedy(link.remedy, link.command, page=page, permission=PERMISSION)
