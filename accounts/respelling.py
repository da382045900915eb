"""Addresses that were kept before they had one spelling are written as they are written now; for migrations.

Without it, whoever stands in the database as "zoé@exämple.com" is somebody else than who signs in today under it.
"""

from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, Func, IntegerField, Q
from django.db.models.functions import Length, Right

from accounts.fields import normal_address

log = structlog.get_logger(__name__)
BATCH_SIZE = 500


class _Octets(Func):
    function, output_field = "OCTET_LENGTH", IntegerField()


def respell(model: Any) -> int:
    """Write every `email` of the model in its one spelling. Returns how many were written; safe to run again.

    Where another row has that address already, and may be the only one, the row stays as it is and is named in the log:
    whose it is, only a person can say.
    """
    last, count = 0, 0
    while rows := list(_odd(model).filter(pk__gt=last).order_by("pk").values_list("pk", "email")[:BATCH_SIZE]):
        last = rows[-1][0]
        count += sum(_write(model, pk, email) for pk, email in rows if normal_address(email) != email)
    if count:
        log.info("addresses.respelled", model=model._meta.label, count=count)
    return count


def _odd(model: Any) -> Any:
    """Those that may be spelled otherwise: with letters beyond ASCII, or a dot at the end."""
    rows = model.objects.annotate(octets=_Octets("email"), letters=Length("email"), end=Right("email", 1))
    return rows.filter(~Q(octets=F("letters")) | Q(end="."))


def _write(model: Any, pk: int, email: str) -> bool:
    try:
        with transaction.atomic():
            return bool(model.objects.filter(pk=pk).update(email=normal_address(email)))
    except IntegrityError:
        log.warning("addresses.collision", model=model._meta.label, row=pk)
        return False
