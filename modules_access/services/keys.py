"""Makes, finds, rotates and revokes the keys with which other programs call us; a key is shown once, to who made it.

A key carries 256 random bits, which nobody finds by trying: its plain SHA-256 is as good as a slow hash, and a
verification costs microseconds.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from modules_access.models import Module, Scope, ServiceKey

log = structlog.get_logger(__name__)
# mk_<8 characters that find it>_<43 that nobody can guess>
KEY_PATTERN = re.compile(r"(?P<prefix>mk_[\w-]{8})_[\w-]{43}", re.ASCII)
PREFIX_BYTES = 6
SECRET_BYTES = 32
# For so long the old key goes on, so that its program can change to the new one.
ROTATION_OVERLAP = timedelta(hours=24)
LAST_USE_PRECISION = timedelta(minutes=1)
# What an unknown key is compared with: no digest has this form, and the comparison takes as long.
NO_DIGEST = "-" * 64


class KeyNotMade(ValueError):
    """No key is made; the text says why."""


class KeyNotRevoked(ValueError):
    """Nothing is revoked; the text says why."""


@transaction.atomic
def create_key(
    *,
    name: str,
    scopes: Iterable[str],
    module: Module | None,
    expires_at: datetime | None,
    by: User | None,
    at: datetime,
) -> tuple[ServiceKey, str]:
    """A new key, and its text, which is kept nowhere. `module` None: for all; `expires_at` None: without end.

    Raises KeyNotMade.
    """
    requested = set(scopes)
    if not name.strip():
        raise KeyNotMade(_("A key needs the name of the program that uses it."))
    if not requested or not requested <= set(Scope.values):
        raise KeyNotMade(_("A key needs one of the known rights, or several."))
    if expires_at and expires_at <= at:
        raise KeyNotMade(_("The key would be over before it begins."))
    prefix = f"mk_{secrets.token_urlsafe(PREFIX_BYTES)}"
    raw = f"{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    key = ServiceKey.objects.create(
        name=name.strip(), prefix=prefix, digest=digest_of(raw), module=module, created_at=at, created_by=by,
        expires_at=expires_at, scopes=[scope for scope in Scope.values if scope in requested],
    )  # fmt: skip
    log.info("key.created", key=key.pk, scopes=key.scopes, module=module.slug if module else None)
    return key, raw


@transaction.atomic
def rotate_key(*, key: ServiceKey, by: User | None, at: datetime) -> tuple[ServiceKey, str]:
    """A new key for the same program, with the same rights and as long a life; the old one goes on for 24 hours.

    Raises KeyNotMade where the old one is not valid any more.
    """
    old = _lock(key)
    if not old.is_valid(at=at):
        raise KeyNotMade(_("%s is not valid any more: make a new key instead.") % old)
    expires_at = at + (old.expires_at - old.created_at) if old.expires_at else None
    made = create_key(name=old.name, scopes=old.scopes, module=old.module, expires_at=expires_at, by=by, at=at)
    old.expires_at = min(old.expires_at or at + ROTATION_OVERLAP, at + ROTATION_OVERLAP)
    old.save(update_fields=["expires_at"])
    log.info("key.rotated", key=old.pk, new=made[0].pk, by=str(by))
    return made


@transaction.atomic
def revoke_key(*, key: ServiceKey, reason: str, by: User | None, at: datetime) -> ServiceKey:
    """End it at once and for good. Raises KeyNotRevoked if that was done, or there is no reason."""
    if not reason.strip():
        raise KeyNotRevoked(_("This needs a reason."))
    row = _lock(key)
    if row.revoked_at:
        raise KeyNotRevoked(_("%s is revoked already.") % row)
    row.revoked_at, row.revoked_reason = at, reason.strip()
    row.save(update_fields=["revoked_at", "revoked_reason"])
    log.info("key.revoked", key=row.pk, by=str(by))
    return row


def find_key(raw: str, *, at: datetime) -> ServiceKey | None:
    """The valid key that this is, with its module; None if there is none. Its last use is recorded, by the minute."""
    match = KEY_PATTERN.fullmatch(raw)
    key = ServiceKey.objects.select_related("module").filter(prefix=match["prefix"]).first() if match else None
    is_it = hmac.compare_digest(digest_of(raw), key.digest if key else NO_DIGEST)
    if key is None or not is_it or not key.is_valid(at=at):
        return None
    _record_use(key, at=at)
    return key


def digest_of(raw: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(raw.encode(errors="replace")).hexdigest()


def _record_use(key: ServiceKey, *, at: datetime) -> None:
    due = at - LAST_USE_PRECISION
    if key.last_used_at and key.last_used_at > due:
        return
    # The condition once more: of many calls at the same moment one writes.
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=due)
    if ServiceKey.objects.filter(stale, pk=key.pk).update(last_used_at=at):
        key.last_used_at = at


def _lock(key: ServiceKey) -> ServiceKey:
    return ServiceKey.objects.select_for_update(of=["self"]).select_related("module").get(pk=key.pk)
