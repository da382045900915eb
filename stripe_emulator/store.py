"""Finds and keeps Stripe objects, under ids in the form of Stripe's."""

import secrets
import string
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from stripe_emulator import clock
from stripe_emulator.errors import Json, NoSuchObject
from stripe_emulator.models import StoredObject

ID_ALPHABET = string.ascii_letters + string.digits
ADVISORY_LOCK = 727_415_002


def new_id(prefix: str, *, length: int = 24) -> str:
    """For example `new_id("cus_", length=14)`."""
    return prefix + random_text(length)


def random_text(length: int) -> str:
    """So many letters and digits."""
    return "".join(secrets.choice(ID_ALPHABET) for _ in range(length))


def serialize_changes() -> None:
    """Wait until nobody else changes anything, and let nobody until the end of this transaction.

    Objects change each other in both directions (an intent its session, a session its intent), so locks of their
    rows alone could meet crosswise. Nothing is lost by it: whoever changes something is one process, and fast.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])


def keep(data: Json, *, parent: StoredObject | None = None, **hidden: Any) -> StoredObject:
    """Keep a new object; it lives in the time of its parent, else it begins now."""
    return StoredObject.objects.create(
        stripe_id=data["id"],
        kind=data["object"],
        created=data["created"] if "created" in data else clock.real_now(),
        ahead=parent.ahead if parent else clock.ahead(),
        data=data,
        hidden=hidden,
    )


def get(kind: str, id: str, *, param: str = "id", lock: bool = False) -> StoredObject:
    """The object of this kind with this id, deleted or not, locked if it is going to change. Raises NoSuchObject."""
    rows = StoredObject.objects.select_for_update() if lock else StoredObject.objects.all()
    found = rows.filter(kind=kind, stripe_id=id).first()
    if found is None:
        raise NoSuchObject(kind, id, param=param)
    return found


def get_living(kind: str, id: str, *, param: str = "id", lock: bool = False) -> StoredObject:
    """The object with this id, unless it was deleted. Raises NoSuchObject."""
    found = get(kind, id, param=param, lock=lock)
    if found.is_deleted:
        raise NoSuchObject(kind, id, param=param)
    return found


def locked(kind: str, id: str, *, param: str = "id") -> tuple[StoredObject, int]:
    """The object, locked, and what time it is in its life. Raises NoSuchObject."""
    found = get(kind, id, param=param, lock=True)
    return found, clock.now_for(found)


def find(kind: str, **contains: Any) -> QuerySet[StoredObject]:
    """Living objects of this kind whose `data` has these values, the newest first."""
    living = StoredObject.objects.filter(kind=kind, is_deleted=False)
    return (living.filter(data__contains=contains) if contains else living).order_by("-created", "-number")


def delete(stored: StoredObject) -> Json:
    """Forget the object. Returns the stub that Stripe answers from then on."""
    stored.is_deleted = True
    stored.save(update_fields=["is_deleted"])
    return stub(stored)


def shown(stored: StoredObject) -> Json:
    """The object as the API shows it."""
    return stub(stored) if stored.is_deleted else stored.data


def stub(stored: StoredObject) -> Json:
    """What is left of a deleted object."""
    return {"id": stored.stripe_id, "object": stored.kind, "deleted": True}
