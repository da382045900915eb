"""What each source entitles a person to, and the rows that say so: following, repair and diagnosis ask here."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db.models import Q

from modules_access.models import AccessEnd, AccessToken, AccessType, Module, ModuleAccess, PlanOpening, Purchase
from payments.billing.models import Subscription
from payments.billing.subscribers import access_until
from payments.orders.models import Order
from payments.sql import update_rows
from payments.statuses import DisputeState, MoneyBack, OrderStatus

log = structlog.get_logger(__name__)
# Type, source and module; the module is 0 where a source opens one only: a row that names a wrong one is its row.
RowKey = tuple[str, int, int]
SOURCE_COLUMNS = {
    AccessType.PURCHASE: "order_id", AccessType.SUBSCRIPTION: "subscription_id", AccessType.TOKEN: "token_id",
}  # fmt: skip
MONEY_BACK_ENDS: dict[str, AccessEnd] = {
    MoneyBack.REFUNDED: AccessEnd.REFUNDED,
    MoneyBack.DISPUTE_LOST: AccessEnd.DISPUTE_LOST,
}
# The columns that follow the source; the others are the row's own.
FOLLOWING_COLUMNS = ("user_id", "module_id", "expires_at", "is_active", "ended_at", "ended_reason")

# --- what a source gives, worked out from the source alone -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What the row of one source is to say. `end_reason` "": the source gives access, until `expires_at`."""

    access_type: str
    source_id: int
    user_id: int
    module_id: int
    expires_at: datetime | None
    end_reason: str = AccessEnd.NONE

    @property
    def key(self) -> RowKey:
        """By what its row is found."""
        return _row_key(self.access_type, self.source_id, self.module_id)

    @property
    def gives_access(self) -> bool:
        """The source gives access, be it over by now."""
        return self.end_reason == AccessEnd.NONE


def entitlement_of_purchase(purchase: Purchase, order: Order) -> Entitlement:
    """From the payment on, for as many days as were bought."""
    expires_at = None
    if order.paid_at and purchase.access_days:
        expires_at = order.paid_at + timedelta(days=purchase.access_days)
    return Entitlement(
        AccessType.PURCHASE, order.pk, purchase.user_id, purchase.module_id, expires_at, _end_reason_of_order(order)
    )


def entitlement_of_token(token: AccessToken) -> Entitlement:
    """Until the token expires, as long as what it rests on lasts. `token` brings its order and its grant."""
    return Entitlement(
        AccessType.TOKEN, token.pk, token.user_id, token.module_id, token.expires_at, _end_reason_of_token(token)
    )


@dataclass(frozen=True, slots=True)
class Openings:
    """Which plan opens which modules. `modules`: the ids of all; `listed`: those of plans that open only some."""

    modules: tuple[int, ...]
    listed: dict[int, frozenset[int]]

    @classmethod
    def read(cls) -> "Openings":
        """As the tables say now; three queries."""
        some = PlanOpening.objects.filter(is_all=False).prefetch_related("modules")
        listed = {row.plan_id: frozenset(module.pk for module in row.modules.all()) for row in some}
        return cls(tuple(Module.objects.order_by("pk").values_list("pk", flat=True)), listed)

    def of_plan(self, plan_id: int | None) -> Collection[int]:
        """The modules that the plan opens; none without a plan."""
        if plan_id is None:
            return ()
        return self.listed.get(plan_id, self.modules)

    def of_subscription(self, row: Subscription) -> Collection[int]:
        """The modules that all of its plans open."""
        return {module for plan_id in (row.plan_id, *row.further_plans) for module in self.of_plan(plan_id)}


def entitlements_of_subscription(
    row: Subscription, openings: Openings, *, existing: Iterable[ModuleAccess] = ()
) -> Iterator[Entitlement]:
    """One for each module of its plans, and for each that it opened once. `row` brings its customer and plan.

    `existing`: the rows that it has. Nothing for somebody without an account.
    """
    user_id = row.customer.user_id if row.customer else None
    until, opened = access_until(row), openings.of_subscription(row)
    for module_id in sorted({*opened, *(access.module_id for access in existing)}):
        reason = AccessEnd.NONE
        if until is None or user_id is None:
            reason = MONEY_BACK_ENDS.get(row.money_back, AccessEnd.SUBSCRIPTION_ENDED)
        elif module_id not in opened:
            reason = AccessEnd.NOT_IN_PLAN
        owner = user_id or next((access.user_id for access in existing if access.module_id == module_id), None)
        if owner is not None:
            yield Entitlement(AccessType.SUBSCRIPTION, row.pk, owner, module_id, until, reason)


def _end_reason_of_order(order: Order) -> str:
    """Why the order gives nothing; "" if it does. A dispute that is open takes nothing away."""
    if order.has_money:
        return AccessEnd.NONE
    if order.status == OrderStatus.REFUNDED:
        return AccessEnd.REFUNDED
    return AccessEnd.DISPUTE_LOST if order.dispute_state == DisputeState.LOST else AccessEnd.NOT_PAID


def _end_reason_of_token(token: AccessToken) -> str:
    """Why the token gives nothing; "" if it does."""
    if token.revoked_at:
        return AccessEnd.TOKEN_REVOKED
    if token.order:
        return _end_reason_of_order(token.order)
    if token.grant and not token.grant.is_active:
        return AccessEnd.GRANT_ENDED
    return AccessEnd.NONE


# --- the rows: this is the only writer of accesses that follow a source ------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one access: `before` and `after` are its columns by name, `before` empty for a new row."""

    access: ModuleAccess
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """`created`, `withdrawn`, `given_back` or `moved`."""
        return kind_of_change(self.before["is_active"] if self.before else None, self.after["is_active"])


def kind_of_change(was_active: bool | None, is_active: bool) -> str:
    """`created` (`was_active` None: there was no row), `withdrawn`, `given_back`, or `moved` where neither changed."""
    if was_active is None:
        return "created"
    if was_active == is_active:
        return "moved"
    return "given_back" if is_active else "withdrawn"


def sync_accesses(
    entitlements: Sequence[Entitlement], rows: Mapping[RowKey, ModuleAccess], *, at: datetime
) -> list[Change]:
    """Create what is missing and move what differs. `rows`: those there are, locked, as are their sources.

    What gives nothing and never did makes no row. Belongs in the caller's transaction.
    """
    changes = [change for each in entitlements if (change := _change(each, rows.get(each.key), at=at))]
    ModuleAccess.objects.bulk_create([change.access for change in changes if not change.before])
    update_rows(
        ModuleAccess,
        [{"id": change.access.pk, "updated_at": at, **change.after} for change in changes if change.before],
    )
    _log(changes)
    return changes


def _log(changes: Iterable[Change]) -> None:
    """One line for each source (an order, a subscription, a token) and what became of its accesses."""
    told: Counter[tuple[Any, ...]] = Counter()
    for change in changes:
        row = change.access
        told[row.access_type, change.kind, row.order_id, row.subscription_id, row.token_id] += 1
    for (source, kind, *ids), count in told.items():
        owner = {noun: key for noun, key in zip(("order", "subscription", "token"), ids, strict=True) if key}
        log.info("access.settled", source=source, what=kind, count=count, **owner)


def differs(entitlement: Entitlement, row: ModuleAccess | None, *, at: datetime) -> bool:
    """Whether the row does not say what its source gives; writes nothing."""
    if row is None:
        return entitlement.gives_access
    return expected_columns(entitlement, row, at=at) != {name: getattr(row, name) for name in FOLLOWING_COLUMNS}


def expected_columns(entitlement: Entitlement, row: ModuleAccess, *, at: datetime) -> dict[str, Any]:
    """FOLLOWING_COLUMNS as they are to be. What staff decided stays: a revocation is final, an extension only adds."""
    reason = AccessEnd.REVOKED if row.revoked_at else entitlement.end_reason
    expires_at = entitlement.expires_at if entitlement.gives_access else row.expires_at
    if entitlement.gives_access and expires_at and row.extended_until:
        expires_at = max(expires_at, row.extended_until)
    ended_at = None if reason == AccessEnd.NONE else row.ended_at or at
    return {
        "user_id": entitlement.user_id, "module_id": entitlement.module_id, "expires_at": expires_at,
        "is_active": reason == AccessEnd.NONE, "ended_at": ended_at, "ended_reason": reason,
    }  # fmt: skip


def rows_by_key(rows: Iterable[ModuleAccess]) -> dict[RowKey, ModuleAccess]:
    """The rows by what gives them; a grant is its own source."""
    return {
        _row_key(row.access_type, row.order_id or row.subscription_id or row.token_id or row.pk, row.module_id): row
        for row in rows
    }


def _row_key(access_type: str, source_id: int, module_id: int) -> RowKey:
    return access_type, source_id, module_id if access_type == AccessType.SUBSCRIPTION else 0


def _change(entitlement: Entitlement, row: ModuleAccess | None, *, at: datetime) -> Change | None:
    if not differs(entitlement, row, at=at):
        return None
    if row is None:
        return _new_row(entitlement, at=at)
    before = {name: getattr(row, name) for name in FOLLOWING_COLUMNS}
    after = expected_columns(entitlement, row, at=at)
    for name, value in after.items():
        setattr(row, name, value)
    return Change(row, before, after)


def _new_row(entitlement: Entitlement, *, at: datetime) -> Change:
    row = ModuleAccess(
        user_id=entitlement.user_id, module_id=entitlement.module_id, access_type=entitlement.access_type,
        expires_at=entitlement.expires_at, created_at=at, updated_at=at,
        **{SOURCE_COLUMNS[AccessType(entitlement.access_type)]: entitlement.source_id},
    )  # fmt: skip
    return Change(row, {}, {name: getattr(row, name) for name in FOLLOWING_COLUMNS})


def follow_tokens(tokens: Sequence[AccessToken], *, at: datetime) -> list[Change]:
    """Bring the accesses of these tokens in line; in the caller's transaction, which has locked what they rest on."""
    rows = lock_accesses(Q(token__in=[token.pk for token in tokens]))
    return sync_accesses([entitlement_of_token(token) for token in tokens], rows_by_key(rows), at=at)


def lock_accesses(which: Q) -> list[ModuleAccess]:
    """Lock the rows, sorted by id, as everybody does."""
    return list(ModuleAccess.objects.filter(which).order_by("pk").select_for_update(no_key=True))


def entitlements_of_subscriptions(
    subscriptions: Iterable[Subscription], rows: Iterable[ModuleAccess]
) -> list[Entitlement]:
    """What these subscriptions open; each brings its customer. `rows`: their accesses."""
    openings = Openings.read()
    existing: dict[int | None, list[ModuleAccess]] = {}
    for access in rows:
        existing.setdefault(access.subscription_id, []).append(access)
    return [
        each
        for row in subscriptions
        for each in entitlements_of_subscription(row, openings, existing=existing.get(row.pk, ()))
    ]
