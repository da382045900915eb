"""Makes the token that a module asks for because of a payment: one for each payment, however often it is asked for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from modules_access.jwt import STANDARD, mint_token
from modules_access.models import AccessToken, Module, ModuleAccess, Purchase, ServiceKey
from modules_access.purchasable import follow_tokens
from modules_access.services.named import find_user, lock_grant, lock_order
from modules_access.services.tokens import create_token
from modules_access.services.verify import why_closed
from modules_access.wanted import wanted_of_purchase

log = structlog.get_logger(__name__)
NOT_GENERATED: dict[str, Promise] = {
    "unknown_module": _("There is no such module."),
    "unknown_user": _("There is no such account, or its e-mail address is not confirmed."),
    "unknown_payment": _("There is no such payment."),
    "payment_of_another": _("The payment is of somebody else, or for something else."),
    "payment_not_paid": _("The order is not paid, or its money has gone back."),
    "grant_ended": _("What staff had given has ended."),
    "access_ended": _("Staff have taken back what was bought."),
    "access_expired": _("What was bought has expired."),
    "generated_otherwise": _("There is a token for this payment already, made with other parameters."),
}


class NotGenerated(Exception):
    """There is no token: `code` is a word for programs, the text a sentence for people."""

    def __init__(self, code: str, sentence: str = "") -> None:
        self.code = code
        super().__init__(sentence or NOT_GENERATED[code])

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Generated:
    """The row, and a JWT for it, which is kept nowhere."""

    token: AccessToken
    jwt: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Basis:
    """What a token rests on, locked (`order=` or `grant=`), and until when that lasts; None: without end."""

    rests_on: dict[str, Any]
    until: datetime | None

    def end_of(self, begin: datetime, *, hours: int) -> datetime:
        """When a token of so many hours ends: no token outlives what it rests on."""
        end = begin + timedelta(hours=hours)
        return min(end, self.until) if self.until else end


@transaction.atomic
def generate(
    *, module: Module, user_id: str, payment_id: str, access_level: str | None = None, hours: int | None = None,
    uses: int | None = None, key: ServiceKey | None, at: datetime,
) -> Generated:  # fmt: skip
    """The token for this payment, or grant of staff, of this person and module; None: the usual. Raises NotGenerated.

    `payment_id` in any of its spellings (services/named.py). Asked again, it is the same token with a fresh JWT.
    """
    user = find_user(user_id)
    if user is None:
        raise NotGenerated("unknown_user")
    basis = _basis_of_order(payment_id, user, module, at=at) or _basis_of_grant(payment_id, user, module, at=at)
    if basis is None:
        raise NotGenerated("unknown_payment")
    known = AccessToken.objects.filter(**basis.rests_on).select_related("module", "order", "grant").first()
    if known:
        # It has an access already, unless somebody has lost that.
        follow_tokens([known], at=at)
        _require_same(known, basis, access_level=access_level, hours=hours, uses=uses, at=at)
        return Generated(known, mint_token(known, at=at), is_new=False)
    token = create_token(
        user=user, module=module, access_level=access_level or STANDARD, max_usage=uses or settings.MODULES.token_uses,
        expires_at=basis.end_of(at, hours=hours or settings.MODULES.token_hours), service_key=key, at=at,
        **basis.rests_on,
    )  # fmt: skip
    return Generated(token, mint_token(token, at=at), is_new=True)


def _basis_of_order(name: str, user: User, module: Module, *, at: datetime) -> Basis | None:
    order = lock_order(name)
    if order is None:
        return None
    purchase = Purchase.objects.filter(order=order, user=user, module=module).first()
    if purchase is None:
        raise NotGenerated("payment_of_another")
    if not order.has_money:
        raise NotGenerated("payment_not_paid")
    # The order gives access; what staff have said of it stands in its row.
    access = ModuleAccess.objects.filter(order=order).select_for_update(no_key=True).first()
    if access and not access.is_active:
        raise NotGenerated("access_ended")
    until = access.expires_at if access else wanted_of_purchase(purchase, order).expires_at
    if until and until <= at:
        raise NotGenerated("access_expired")
    return Basis({"order": order}, until)


def _basis_of_grant(name: str, user: User, module: Module, *, at: datetime) -> Basis | None:
    grant = lock_grant(name)
    if grant is None:
        return None
    if (grant.user_id, grant.module_id) != (user.pk, module.pk):
        raise NotGenerated("payment_of_another")
    if not grant.is_open(at=at):
        raise NotGenerated("grant_ended")
    return Basis({"grant": grant}, grant.expires_at)


def _require_same(
    token: AccessToken, basis: Basis, *, access_level: str | None, hours: int | None, uses: int | None, at: datetime
) -> None:
    """The token can still be used, and is what is asked for: what is not asked for may be anything."""
    access = ModuleAccess.objects.select_related("user", "token").get(token=token)
    if refusal := why_closed(access, at=at):
        raise NotGenerated(refusal.code, str(refusal))
    asked = {
        "access_level": access_level,
        "max_usage": uses,
        "expires_at": basis.end_of(token.created_at, hours=hours) if hours else None,
    }
    if any(value is not None and getattr(token, name) != value for name, value in asked.items()):
        raise NotGenerated("generated_otherwise")
