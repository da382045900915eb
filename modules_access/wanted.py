"""What each source gives, worked out from the source alone: following and repair ask the same question here."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from modules_access.models import AccessEnd, AccessToken, AccessType, Module, ModuleAccess, PlanOpening, Purchase
from payments.billing.models import Subscription
from payments.billing.subscribers import access_until
from payments.orders.models import Order
from payments.statuses import DisputeState, OrderStatus

Key = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the row of one source is to say. `ended_reason` "": the source gives access, until `expires_at`."""

    access_type: str
    source_id: int
    user_id: int
    module_id: int
    expires_at: datetime | None
    ended_reason: str = AccessEnd.NONE

    @property
    def key(self) -> Key:
        """By what its row is found."""
        return _key(self.access_type, self.source_id, self.module_id)

    @property
    def gives(self) -> bool:
        """The source gives access, be it over by now."""
        return self.ended_reason == AccessEnd.NONE


def key_of(row: ModuleAccess) -> Key:
    """The same for a row; a grant is its own source."""
    source = row.order_id or row.subscription_id or row.token_id or row.pk
    return _key(row.access_type, source, row.module_id)


def _key(access_type: str, source_id: int, module_id: int) -> Key:
    """Type, source, module; the module is 0 where a source opens one only: a row that names a wrong one is its row."""
    return access_type, source_id, module_id if access_type == AccessType.SUBSCRIPTION else 0


def wanted_of_purchase(purchase: Purchase, order: Order) -> Wanted:
    """From the payment on, for as many days as were bought."""
    expires_at = None
    if order.paid_at and purchase.access_days:
        expires_at = order.paid_at + timedelta(days=purchase.access_days)
    return Wanted(
        AccessType.PURCHASE, order.pk, purchase.user_id, purchase.module_id, expires_at, why_not_paid(order)
    )  # fmt: skip


def why_not_paid(order: Order) -> str:
    """Why the order gives nothing; "" if it does. A dispute that is open takes nothing away."""
    if order.has_money:
        return AccessEnd.NONE
    if order.status == OrderStatus.REFUNDED:
        return AccessEnd.REFUNDED
    return AccessEnd.DISPUTE_LOST if order.dispute_state == DisputeState.LOST else AccessEnd.NOT_PAID


def wanted_of_token(token: AccessToken) -> Wanted:
    """Until the token expires, as long as what it rests on lasts. `token` brings its order and its grant."""
    return Wanted(
        AccessType.TOKEN, token.pk, token.user_id, token.module_id, token.expires_at, why_token_ended(token)
    )  # fmt: skip


def why_token_ended(token: AccessToken) -> str:
    """Why the token gives nothing; "" if it does."""
    if token.revoked_at:
        return AccessEnd.TOKEN_REVOKED
    if token.order:
        return why_not_paid(token.order)
    if token.grant and not token.grant.is_active:
        return AccessEnd.GRANT_ENDED
    return AccessEnd.NONE


@dataclass(frozen=True, slots=True)
class Openings:
    """Which plan opens which modules. `modules`: the ids of all."""

    modules: tuple[int, ...]
    listed: dict[int, frozenset[int]]

    @classmethod
    def read(cls) -> "Openings":
        """As things stand; three queries."""
        some = PlanOpening.objects.filter(is_all=False).prefetch_related("modules")
        listed = {row.plan_id: frozenset(module.pk for module in row.modules.all()) for row in some}
        return cls(tuple(Module.objects.order_by("pk").values_list("pk", flat=True)), listed)

    def of_plan(self, plan_id: int | None) -> Collection[int]:
        """The modules that the plan opens; none without a plan."""
        if plan_id is None:
            return ()
        return self.listed.get(plan_id, self.modules)


def wanted_of_subscription(
    row: Subscription, openings: Openings, *, known: Iterable[ModuleAccess] = ()
) -> Iterator[Wanted]:
    """One for each module of its plan, and for each that it opened once. `row` brings its customer and plan.

    `known`: the rows that it has. Nothing for somebody without an account.
    """
    user_id = row.customer.user_id if row.customer else None
    until, opened = access_until(row), openings.of_plan(row.plan_id)
    for module_id in sorted({*opened, *(access.module_id for access in known)}):
        why = AccessEnd.NONE
        if until is None or user_id is None:
            why = AccessEnd.SUBSCRIPTION_ENDED
        elif module_id not in opened:
            why = AccessEnd.NOT_IN_PLAN
        owner = user_id or next((access.user_id for access in known if access.module_id == module_id), None)
        if owner is not None:
            yield Wanted(AccessType.SUBSCRIPTION, row.pk, owner, module_id, until, why)
