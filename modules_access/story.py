"""What accesses tell of themselves in a timeline: given, used, changed by staff and why, ended."""

from collections.abc import Iterator

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from modules_access.models import ModuleAccess
from modules_access.services.grants import ACTS
from payments.timeline import Kind, Moment, Subject

ABOUT = ("modules_access.moduleaccess",)
MAX_ACCESSES = 200
# What staff did (modules_access.services.grants).
DONE: dict[str, Promise] = {
    "granted": gettext_lazy("Gave access to %(module)s."),
    "extended": gettext_lazy("Extended the access to %(module)s."),
    "revoked": gettext_lazy("Took back the access to %(module)s."),
}


def accesses_of(subject: Subject) -> list[ModuleAccess]:
    """Those that rest on what was bought; of a person all. The newest first; one query."""
    return subject.once("accesses", lambda: list(_accesses_of(subject)))


def _accesses_of(subject: Subject) -> "QuerySet[ModuleAccess]":
    """Each part by an index of its own."""
    rows, orders = ModuleAccess.objects.order_by(), [order.pk for order in subject.orders]
    parts = [rows.filter(order__in=orders), rows.filter(token__order__in=orders)] if orders else []
    if subject.subscriptions:
        parts.append(rows.filter(subscription__in=[row.pk for row in subject.subscriptions]))
    if subject.user:
        parts.append(rows.filter(user=subject.user))
    if not parts:
        return ModuleAccess.objects.none()
    first, *others = (part.values("pk") for part in parts)
    found = ModuleAccess.objects.filter(pk__in=first.union(*others) if others else first)
    return found.select_related("module", "token", "user").order_by("-pk")[:MAX_ACCESSES]


def told_by_access(access: ModuleAccess) -> Iterator[Moment]:
    """The moments of one access."""
    link, acts = ((access, access.number),), list(_acts(access))
    about = {"module": access.module.title, "source": access.get_access_type_display()}
    if not acts or acts[0].at != access.created_at:
        sentence = _("Access to %(module)s was given (%(source)s).") % about
        yield Moment(access.created_at, Kind.SYSTEM, sentence, detail=access.user.email, links=link, tells_of=ABOUT)
    yield from acts
    # Uses of an access by token are counted on the token.
    counted = access.token or access
    if counted.last_used_at:
        words = ngettext(
            "Used %(module)s, %(count)d time in all; this was the last time, earlier ones are not kept.",
            "Used %(module)s, %(count)d times in all; this was the last time, earlier ones are not kept.",
            counted.used,
        )
        told = {"module": access.module.title, "count": counted.used}
        yield Moment(counted.last_used_at, Kind.BUYER, words % told, links=link, tells_of=ABOUT)
    if access.ended_at and not access.revoked_at:
        sentence = _("The access to %(module)s ended.") % about
        why = str(access.get_ended_reason_display())
        yield Moment(access.ended_at, Kind.SYSTEM, sentence, detail=why, links=link, tells_of=ABOUT)


def _acts(access: ModuleAccess) -> Iterator[Moment]:
    """What staff did with it, and why."""
    for act in access.metadata.get(ACTS, ()):
        at = parse_datetime(act["at"])
        if at and act["what"] in DONE:
            yield Moment(
                at, Kind.STAFF, str(DONE[act["what"]]) % {"module": access.module.title}, by=act["by"],
                detail=act["reason"], links=((access, access.number),), tells_of=ABOUT,
            )  # fmt: skip
