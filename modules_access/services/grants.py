"""What staff give, extend and take back, each time with a reason that is kept in the access's `metadata`."""

from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from modules_access.entitlements import follow_tokens, lock_accesses
from modules_access.models import AccessEnd, AccessToken, AccessType, Module, ModuleAccess
from modules_access.services.tokens import MAX_ACTOR_LENGTH
from payments.orders.models import Order

log = structlog.get_logger(__name__)
ACTS = "acts"


class NotGranted(ValueError):
    """Nothing was done; the text says why."""


@transaction.atomic
def grant_access(
    *, user: User, module: Module, expires_at: datetime | None, reason: str, by: Any, at: datetime
) -> ModuleAccess:
    """Let a person in without a payment; `expires_at` None: without end. Raises NotGranted."""
    _require_reason(reason)
    if expires_at and expires_at <= at:
        raise NotGranted(_("The access would be over before it begins."))
    row = ModuleAccess(
        user=user, module=module, access_type=AccessType.GRANT, expires_at=expires_at, created_at=at, updated_at=at
    )
    _record_act(row, "granted", reason=reason, by=by, at=at)
    row.save(force_insert=True)
    log.info("access.granted", access=row.pk, user=user.pk, module=module.slug, by=str(by))
    return row


@transaction.atomic
def extend_access(*, access: ModuleAccess, until: datetime, reason: str, by: Any, at: datetime) -> ModuleAccess:
    """Let it last until then, if that is later than now. Raises NotGranted where there is nothing to extend."""
    _require_reason(reason)
    (row,) = lock_accesses(Q(pk=access.pk))
    if not row.is_active:
        raise NotGranted(_("%s has ended: give a new access instead.") % row.number)
    if row.access_type not in (AccessType.PURCHASE, AccessType.GRANT):
        raise NotGranted(_("%s lasts as long as what gives it: give an access of its own instead.") % row.number)
    if row.expires_at is None or row.expires_at >= until:
        raise NotGranted(_("%s lasts as long as that already.") % row.number)
    if until <= at:
        raise NotGranted(_("That date is over."))
    row.extended_until = row.expires_at = until
    return _save(row, "extended", reason=reason, by=by, at=at)


@transaction.atomic
def revoke_access(*, access: ModuleAccess, reason: str, by: Any, at: datetime) -> ModuleAccess:
    """Take it back for good, whatever gives it, and the tokens that rest on the same; other sources of the person stay.

    Raises NotGranted.
    """
    _require_reason(reason)
    if access.order_id:
        # First what it follows, as everybody locks.
        Order.objects.select_for_update(no_key=True).get(pk=access.order_id)
    (row,) = lock_accesses(Q(pk=access.pk))
    if row.revoked_at:
        raise NotGranted(_("%s has been taken back already.") % row.number)
    row.revoked_at, row.is_active, row.ended_reason = at, False, AccessEnd.REVOKED
    row.ended_at = row.ended_at or at
    saved = _save(row, "revoked", reason=reason, by=by, at=at)
    _end_tokens(row, reason=reason, by=by, at=at)
    return saved


def _end_tokens(row: ModuleAccess, *, reason: str, by: Any, at: datetime) -> None:
    """What was made for somebody because of the access ends with it."""
    rests = Q(grant=row) | Q(order=row.order_id) if row.order_id else Q(grant=row)
    tokens = AccessToken.objects.filter(rests, revoked_at__isnull=True).order_by("pk")
    ids = list(tokens.select_for_update(no_key=True).values_list("pk", flat=True))
    ended = AccessToken.objects.filter(pk__in=ids)
    ended.update(revoked_at=at, revoked_by=str(by)[:MAX_ACTOR_LENGTH], revoked_reason=reason.strip())
    follow_tokens(list(ended.select_related("order", "grant").order_by("pk")), at=at)


def _record_act(row: ModuleAccess, what: str, *, reason: str, by: Any, at: datetime) -> None:
    """Write into the row what was done, why and by whom; the newest last."""
    act = {"what": what, "reason": reason.strip(), "by": str(by), "at": at.isoformat()}
    row.metadata = {**row.metadata, ACTS: [*row.metadata.get(ACTS, []), act]}


def _save(row: ModuleAccess, what: str, *, reason: str, by: Any, at: datetime) -> ModuleAccess:
    row.updated_at = at
    _record_act(row, what, reason=reason, by=by, at=at)
    row.save()
    log.info(f"access.{what}", access=row.pk, user=row.user_id, by=str(by))
    return row


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise NotGranted(_("This needs a reason."))
