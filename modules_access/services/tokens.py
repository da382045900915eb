"""Makes and revokes access tokens, for staff and because of payments; their JWT comes from modules_access/jwt.py."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from modules_access.entitlements import entitlement_of_purchase, follow_tokens
from modules_access.jwt import STANDARD_LEVEL, mint_token
from modules_access.models import AccessToken, AccessType, Module, ModuleAccess, Purchase, ServiceKey
from modules_access.services.verify import find_refusal
from payments.names import ORDER, order_called, read_key, read_number
from payments.orders.models import Order

log = structlog.get_logger(__name__)
STRIPE_IDS = ("cs_", "pi_")
MAX_ACTOR_LENGTH = 255
GENERATION_REFUSALS: dict[str, Promise] = {
    "unknown_module": gettext_lazy("There is no such module."),
    "unknown_user": gettext_lazy("There is no such account, or its e-mail address is not confirmed."),
    "unknown_payment": gettext_lazy("There is no such payment."),
    "payment_of_another": gettext_lazy("The payment is of somebody else, or for something else."),
    "payment_not_paid": gettext_lazy("The order is not paid, or its money has gone back."),
    "grant_ended": gettext_lazy("What staff had given has ended."),
    "access_ended": gettext_lazy("Staff have taken back what was bought."),
    "access_expired": gettext_lazy("What was bought has expired."),
    "generated_otherwise": gettext_lazy("There is a token for this payment already, made with other parameters."),
}


class TokenNotMade(ValueError):
    """No token is made; the text says why."""


class TokenNotRevoked(ValueError):
    """Nothing is revoked; the text says why."""


class NotGenerated(Exception):
    """No token for this payment: `code` is a word for programs, the text a sentence for people."""

    def __init__(self, code: str, sentence: str = "") -> None:
        self.code = code
        super().__init__(sentence or GENERATION_REFUSALS[code])

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

    `payment_id` in any spelling of `lock_order` and `lock_grant`. A second call answers the same token, with a new JWT.
    """
    user = find_user(user_id)
    if user is None:
        raise NotGenerated("unknown_user")
    basis = _basis_of_order(payment_id, user, module, at=at) or _basis_of_grant(payment_id, user, module, at=at)
    if basis is None:
        raise NotGenerated("unknown_payment")
    existing = AccessToken.objects.filter(**basis.rests_on).select_related("module", "order", "grant").first()
    if existing:
        # It has an access already, unless somebody has lost that.
        follow_tokens([existing], at=at)
        _require_same(existing, basis, access_level=access_level, hours=hours, uses=uses, at=at)
        return Generated(existing, mint_token(existing, at=at), is_new=False)
    token = create_token(
        user=user, module=module, access_level=access_level or STANDARD_LEVEL,
        max_usage=uses or settings.MODULES.token_uses,
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
    until = access.expires_at if access else entitlement_of_purchase(purchase, order).expires_at
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
    """Raises NotGenerated unless the token can still be used and has what is requested; None: anything."""
    access = ModuleAccess.objects.select_related("user", "token").get(token=token)
    if refusal := find_refusal(access, at=at):
        raise NotGenerated(refusal.code, str(refusal))
    requested = {
        "access_level": access_level,
        "max_usage": uses,
        "expires_at": basis.end_of(token.created_at, hours=hours) if hours else None,
    }
    if any(value is not None and getattr(token, name) != value for name, value in requested.items()):
        raise NotGenerated("generated_otherwise")


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
    row.revoked_at, row.revoked_by, row.revoked_reason = at, str(by)[:MAX_ACTOR_LENGTH], reason.strip()
    row.save(update_fields=["revoked_at", "revoked_by", "revoked_reason"])
    follow_tokens([row], at=at)
    log.info("token.revoked", token=row.pk, by=str(by))
    return row


def find_module(name: str) -> Module | None:
    """By its slug, else by its id in the old system, else by its own: who calls with a number was told it there."""
    key = read_key(name)
    called = Q(slug=name) | Q(external_id=name)
    found = Module.objects.filter(called | Q(pk=key) if key else called)
    return min(found, key=lambda row: (row.slug != name, row.external_id != name), default=None)


def find_user(name: str) -> User | None:
    """By the id of the old system, else that of the account, or by an e-mail address if that is confirmed.

    Nobody whose account is closed.
    """
    key = read_key(name)
    called = Q(external_id=name)
    found = User.objects.filter(called | Q(pk=key) if key else called, is_active=True)
    called_so = min(found, key=lambda row: row.external_id != name, default=None)
    return called_so or (None if key else User.objects.find_confirmed(name))


def lock_order(name: str) -> Order | None:
    """By its number (O-000123), its public id, its id in the old system, or the cs_ or pi_ id with which it was paid.

    Locks it.
    """
    orders = Order.objects.select_for_update(no_key=True, of=("self",))
    if name.startswith(STRIPE_IDS):
        return orders.filter(references__name=name).first()
    condition = order_called(name)
    found = orders.filter(condition).first() if condition else None
    return found or orders.filter(references__name=f"{ORDER}{name}").first()


def lock_grant(name: str) -> ModuleAccess | None:
    """What staff gave, by its number (A-000123). Locks it."""
    grants = ModuleAccess.objects.filter(access_type=AccessType.GRANT).select_for_update(no_key=True)
    key = read_number(name, prefix="A")
    return grants.filter(pk=key).first() if key else None
