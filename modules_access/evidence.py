"""What a dispute's access log says about modules: that access was given, and how often it was used."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from modules_access.models import ModuleAccess
from payments.evidence import Case, Entry, evidence_source


@evidence_source
def modules(case: Case, at: datetime) -> Iterator[Entry]:
    """What the disputed money opened: by the order, by a token that rests on it, or by the subscription."""
    which = Q()
    if case.order:
        which |= Q(order=case.order) | Q(token__order=case.order)
    if case.subscription:
        which |= Q(subscription=case.subscription)
    if not which:
        return
    for access in ModuleAccess.objects.filter(which).select_related("module", "token", "user").order_by("pk"):
        yield from _entries(access)


def _entries(access: ModuleAccess) -> Iterator[Entry]:
    given = {"module": access.module.title, "source": access.get_access_type_display(), "person": access.user.email}
    yield Entry(access.created_at, _("Access to a module given"), _("%(module)s (%(source)s), for %(person)s") % given)
    # Uses of an access by token are counted on the token.
    counted = access.token or access
    if counted.last_used_at:
        words = ngettext(
            "%(module)s: used %(count)d time; this was the last time, earlier ones are not kept.",
            "%(module)s: used %(count)d times; this was the last time, earlier ones are not kept.",
            counted.used,
        )
        told = {"module": access.module.title, "count": counted.used}
        yield Entry(counted.last_used_at, _("Module used"), words % told)
    if access.ended_at:
        why = f"{access.module.title}: {access.get_ended_reason_display()}"
        yield Entry(access.ended_at, _("Access to a module ended"), why)
