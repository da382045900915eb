"""What registrations know of one person, for themselves; and the person taken out of what stays for the accounts."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from accounts.blotting import all_told, told
from accounts.hooks import AccountExtension, Erasure, Individual, extend_accounts
from payments.effects.models import Effect
from registrations.models import Registration, WaitingEntry

FORMER_NAME = "erased "
# Mails about an entry of a waiting list belong to no order: the key begins with the kind and the entry.
KINDS_ABOUT_WAITING = ("waiting.confirm_address", "waiting.joined", "waiting.called_off")


class RegistrationsOfPerson(AccountExtension):
    """Who came to what stays, under no name."""

    def called(self, person: Individual) -> Iterator[str]:
        """Those for whom they registered as well: a parent registers children."""
        for rows in (Registration.objects.filter(person.owned), WaitingEntry.objects.filter(email=person.email)):
            for name, email in rows.values_list("name", "email"):
                if not name.startswith(FORMER_NAME):
                    yield name
                yield email

    def known_of(self, person: Individual) -> Mapping[str, Any]:
        """By activity, with the number of the order that pays it."""
        rows = Registration.objects.filter(person.owned).select_related("activity", "order").order_by("pk")
        waiting = WaitingEntry.objects.filter(email=person.email).select_related("activity").order_by("pk")
        return {
            "registrations": [{"activity": row.activity.title, "order": row.order.number, **told(row)} for row in rows],
            "waiting_lists": [{"activity": row.activity.title, **told(row)} for row in waiting],
            "mails_about_waiting": all_told(_mails_about(waiting).order_by("pk"), leave_out=("cause",)),
        }

    def under_way(self, person: Individual, *, at: datetime) -> Iterator[str]:
        """A place in what is still to come, and money without a place."""
        rows = Registration.objects.filter(person.owned).select_related("activity").order_by("pk")
        for row in rows.filter(holds_place=True, activity__starts_at__gt=at, activity__called_off_at__isnull=True):
            yield _("A place in %(activity)s is held, which is still to come.") % {"activity": row.activity.title}
        for row in rows.filter(waits_since__isnull=False):
            yield _("%(activity)s is paid, and a place is waited for.") % {"activity": row.activity.title}

    def forget(self, erasure: Erasure) -> Mapping[str, int]:
        """Who waits, waits no more. Names stay different from each other: no two people hold one place."""
        entries = WaitingEntry.objects.filter(email=erasure.person.email)
        mails = _mails_about(entries).filter(sent__isnull=False).update(sent=None)
        waiting, _rows = entries.delete()
        rows = Registration.objects.filter(erasure.person.owned).exclude(email=erasure.alias)
        count = rows.update(
            name=Concat(Value(FORMER_NAME), Cast(F("pk"), CharField())), email=erasure.alias, client="", browser=""
        )
        return {"registrations": count, "waiting_lists": waiting, "mails_about_waiting": mails}


def _mails_about(entries: QuerySet[WaitingEntry]) -> QuerySet[Effect]:
    found = Q(pk__in=())
    for entry in entries:
        for key in (f"{kind}:{entry.pk}" for kind in KINDS_ABOUT_WAITING):
            found |= Q(key=key) | Q(key__startswith=f"{key}:")
    return Effect.objects.filter(found)


extend_accounts(RegistrationsOfPerson())
