"""Makes and revokes access tokens: the rows; the JWT for one is made in modules_access/jwt.py."""

from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from modules_access.models import AccessToken, Module, ModuleAccess, ServiceKey
from modules_access.purchasable import follow_tokens
from payments.orders.models import Order

log = structlog.get_logger(__name__)
LONGEST = 255


class TokenNotMade(ValueError):
    """No token is made; the text says why."""


class TokenNotRevoked(ValueError):
    """Nothing is revoked; the text says why."""


@transaction.atomic
def create_token(
    *, user: User, module: Module, access_level: str, expires_at: datetime, max_usage: int, at: datetime,
    order: Order | None = None, grant: ModuleAccess | None = None, service_key: ServiceKey | None = None,
    by: User | None = None, reason: str = "",
) -> AccessToken:  # fmt: skip
    """A new token and the access that it gives. `order` or `grant`, which the caller has locked, is what it rests on.

    By staff (neither of both) it needs a reason. Raises TokenNotMade, and IntegrityError where there is one already.
    """
    if order is None and grant is None and not reason.strip():
        raise TokenNotMade(_("A token that rests on no payment needs a reason."))
    if expires_at <= at:
        raise TokenNotMade(_("The token would be over before it begins."))
    if max_usage < 1:
        raise TokenNotMade(_("The token could not be used once."))
    token = AccessToken.objects.create(
        user=user, module=module, order=order, grant=grant, access_level=access_level, expires_at=expires_at,
        max_usage=max_usage, created_at=at, created_by=by, service_key=service_key, reason=reason.strip(),
    )  # fmt: skip
    follow_tokens([token], at=at)
    log.info("token.created", token=token.pk, user=user.pk, module=module.slug, order=order.pk if order else None)
    return token


@transaction.atomic
def revoke_token(*, token: AccessToken, reason: str, by: Any, at: datetime) -> AccessToken:
    """End the token and the access that it gives, at once and for good. Raises TokenNotRevoked if that was done."""
    if not reason.strip():
        raise TokenNotRevoked(_("This needs a reason."))
    # First what it rests on, as everybody locks.
    if token.order_id:
        Order.objects.select_for_update(no_key=True).get(pk=token.order_id)
    row = AccessToken.objects.select_for_update(of=["self"]).select_related("order", "grant").get(pk=token.pk)
    if row.revoked_at:
        raise TokenNotRevoked(_("The token %s is revoked already.") % row.prefix)
    row.revoked_at, row.revoked_by, row.revoked_reason = at, str(by)[:LONGEST], reason.strip()
    row.save(update_fields=["revoked_at", "revoked_by", "revoked_reason"])
    follow_tokens([row], at=at)
    log.info("token.revoked", token=row.pk, by=str(by))
    return row
