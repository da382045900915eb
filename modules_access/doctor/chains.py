"""Builds one chain of links for each source that somebody's access to a module could come from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from accounts.models import User
from modules_access.doctor.diagnosis import Chain, Link, broken, fine, not_needed
from modules_access.doctor.links import (
    EVENT,
    ORDER,
    PAYMENT,
    access_link,
    account_link,
    encours_link,
    event_link,
    needs_no_event,
    order_link,
    payment_of_order,
    payment_of_subscription,
    token_link,
)
from modules_access.entitlements import (
    Entitlement,
    Openings,
    differs,
    entitlement_of_purchase,
    entitlement_of_token,
    entitlements_of_subscription,
    rows_by_key,
)
from modules_access.models import AccessToken, AccessType, Module, ModuleAccess, PlanOpening, Purchase
from modules_access.repair.sources import repair_key
from payments.billing.models import Payment, Subscription
from payments.billing.subscribers import gives_access
from payments.ledger.models import PaymentEvent
from payments.orders.models import CheckoutAttempt, OrderException
from payments.statuses import SUBSCRIPTION_ENDED

# Nobody has so many; a page must not grow without limit all the same.
MAX_ROWS = 100
MAX_EVENTS = 500
# The id of the module, and the chain.
ModuleChain = tuple[int, Chain]


@dataclass(frozen=True, slots=True)
class Records:
    """What is stored about a person (and a module). Each purchase brings `payments`, `questions` and `sessions`."""

    at: datetime
    user: User
    module: Module | None
    modules: dict[int, Module]
    purchases: list[Any]
    tokens: list[AccessToken]
    subscriptions: list[Subscription]
    openings: Openings
    accesses: list[Any]
    events: list[PaymentEvent]

    def events_of(self, names: Iterable[str], **owner: int) -> list[PaymentEvent]:
        """The ledger's rows of an order or a subscription: those that found it, and those about its objects."""
        [(column, key)] = owner.items()
        theirs = set(names)
        return [row for row in self.events if getattr(row, column) == key or row.object_id in theirs]


def read_records(
    user: User, *, module: Module | None, order_id: int | None, at: datetime, purchases: list[Any] | None = None
) -> Records:
    """Seven statements; nothing is locked. With `order_id` only what that order bought. `purchases`: if known."""
    if purchases is None:
        purchases = read_purchases(_which(module, order_id), user=user)
    tokens = _tokens(user, module, order_id)
    subscriptions = [] if order_id else _subscriptions(user)
    modules = {module.pk: module} if module else Module.objects.in_bulk()
    return Records(
        at=at, user=user, module=module, modules=modules, purchases=purchases, tokens=tokens,
        subscriptions=subscriptions, openings=_openings(subscriptions, modules),
        accesses=_accesses(user, purchases, tokens, subscriptions, at=at, with_grants=order_id is None),
        events=_events(purchases, subscriptions),
    )  # fmt: skip


def _which(module: Module | None, order_id: int | None) -> Q:
    return (Q(module=module) if module else Q()) & (Q(order=order_id) if order_id else Q())


def read_purchases(*which: Q, **conditions: Any) -> list[Any]:
    """Those that meet the conditions, each with its `payments`, `questions` and `sessions`. One statement."""
    mine = {"order": OuterRef("order_id")}
    payment = JSONObject(key=F("key"), received=F("received"), refunded=F("refunded"), currency=F("currency"))
    rows = Purchase.objects.filter(*which, **conditions).select_related("order", "module", "user")
    return list(
        rows.annotate(
            payments=ArraySubquery(Payment.objects.filter(received__gt=0, **mine).values(payment=payment)),
            questions=ArraySubquery(OrderException.objects.filter(is_open=True, **mine).values("kind")),
            sessions=ArraySubquery(CheckoutAttempt.objects.filter(**mine).exclude(session="").values("session")),
        ).order_by("-pk")[:MAX_ROWS]
    )


def _tokens(user: User, module: Module | None, order_id: int | None) -> list[AccessToken]:
    rows = AccessToken.objects.filter(_which(module, order_id), user=user)
    return list(rows.select_related("order", "grant", "module").order_by("-pk")[:MAX_ROWS])


def _subscriptions(user: User) -> list[Subscription]:
    """Those that go on, and those that have opened something."""
    has_opened = Exists(ModuleAccess.objects.filter(subscription=OuterRef("pk")))
    rows = Subscription.objects.filter(
        ~Q(status__in=SUBSCRIPTION_ENDED) | has_opened | Q(covered_until__isnull=False), customer__user=user
    )
    rows = rows.select_related("customer", "plan__opening").prefetch_related("plan__opening__modules")
    return list(rows.order_by("-pk")[:MAX_ROWS])


def _openings(subscriptions: Iterable[Subscription], modules: dict[int, Module]) -> Openings:
    """What their plans open, as `Openings.read` has it of all plans."""
    openings = [opening for row in subscriptions if (opening := getattr(row.plan, "opening", None))]
    if further := {plan for row in subscriptions for plan in row.further_plans}:
        openings += PlanOpening.objects.filter(plan__in=further).prefetch_related("modules")
    listed = {row.plan_id: frozenset(each.pk for each in row.modules.all()) for row in openings if not row.is_all}
    return Openings(tuple(sorted(modules)), listed)


def _accesses(
    user: User, purchases: list[Any], tokens: list[AccessToken], subscriptions: list[Subscription], *, at: datetime,
    with_grants: bool,
) -> list[Any]:  # fmt: skip
    """By what gives them, whoever they name; each with `lets_in`, as /encours decides it."""
    rows: QuerySet[ModuleAccess] = ModuleAccess.objects.filter(
        Q(order__in=[row.order_id for row in purchases]) | Q(token__in=[row.pk for row in tokens])
        | Q(subscription__in=[row.pk for row in subscriptions])
        | (Q(user=user, access_type=AccessType.GRANT) if with_grants else Q(pk=None))
    )  # fmt: skip
    lets_in = Exists(ModuleAccess.objects.open(at).filter(pk=OuterRef("pk")))
    return list(rows.select_related("user", "module").annotate(lets_in=lets_in).order_by("-pk"))


def _events(purchases: list[Any], subscriptions: list[Subscription]) -> list[PaymentEvent]:
    """Also those that could not find their order: by the objects that they are about."""
    names = {name for row in purchases for name in stripe_ids_of(row)} | {row.stripe_id for row in subscriptions}
    rows = PaymentEvent.objects.filter(
        Q(order__in=[row.order_id for row in purchases]) | Q(subscription__in=[row.pk for row in subscriptions])
        | Q(object_id__in=names)
    )  # fmt: skip
    return list(rows.defer("payload").order_by("-pk")[:MAX_EVENTS]) if names or purchases else []


def stripe_ids_of(purchase: Any) -> set[str]:
    """What Stripe calls the sessions and payments of a purchase."""
    return {*purchase.sessions, *(payment["key"] for payment in purchase.payments)}


def chains_of(records: Records) -> Iterator[ModuleChain]:
    """All chains of the person, purchases first."""
    for purchase in records.purchases:
        yield purchase.module_id, _of_purchase(purchase, records)
    for row in records.subscriptions:
        yield from _of_subscription(row, records)
    for token in records.tokens:
        yield token.module_id, _of_token(token, records)
    for grant in records.accesses:
        if grant.access_type == AccessType.GRANT and records.module in (None, grant.module):
            money = _money_not_needed(_("Staff gave it, without a payment."))
            links = [*money, *_access_links(records, None, grant, grant.number)]
            yield grant.module_id, _chain(AccessType.GRANT, grant.number, records, links)


def no_chain(records: Records) -> Chain:
    """Nothing at all would give the person access."""
    what = records.module or _("any module")
    sentence = _("Neither an order nor a subscription, a token or staff gives access to %s.") % what
    remedy = _("They can buy it or subscribe, or staff can give access.")
    return Chain("", "", [account_link(records.user), broken(PAYMENT, sentence, remedy=remedy)])


def _of_purchase(purchase: Any, records: Records) -> Chain:
    order = purchase.order
    events = records.events_of(stripe_ids_of(purchase), order_id=order.pk)
    entitlement = entitlement_of_purchase(purchase, order)
    is_known, command = bool(purchase.payments), f"manage.py resync order {order.number}"
    money = [
        payment_of_order(purchase, events),
        event_link(events, is_fine=needs_no_event(order), is_known=is_known, command=command),
        order_link(purchase),
    ]
    row = rows_by_key(records.accesses).get(entitlement.key)
    links = [*money, *_access_links(records, entitlement, row, order.number)]
    return _chain(AccessType.PURCHASE, order.number, records, links, entitlement, row, key=repair_key(order))


def _of_subscription(row: Subscription, records: Records) -> Iterator[ModuleChain]:
    own = [access for access in records.accesses if access.subscription_id == row.pk]
    command = f"manage.py resync subscription {row.stripe_id}"
    events = records.events_of([row.stripe_id], subscription_id=row.pk)
    is_fine, is_known = gives_access(row, at=records.at), row.stripe_updated_at is not None
    money = [
        payment_of_subscription(row, at=records.at),
        event_link(events, is_fine=is_fine, is_known=is_known, command=command),
    ]
    by_module = {each.module_id: each for each in entitlements_of_subscription(row, records.openings, existing=own)}
    opened = records.openings.of_subscription(row)
    shown = {records.module.pk} if records.module else set(by_module)
    for module_id in sorted(shown & records.modules.keys()):
        each = by_module.get(module_id)
        access = rows_by_key(own).get(each.key) if each else None
        link = _plan_link(row, is_open=module_id in opened)
        links = [*money, link, *_access_links(records, each, access, row.stripe_id)]
        yield (
            module_id,
            _chain(AccessType.SUBSCRIPTION, row.stripe_id, records, links, each, access, key=repair_key(row)),
        )


def _plan_link(row: Subscription, *, is_open: bool) -> Link:
    """A subscription takes no order of its own: its plan says what it buys."""
    if is_open:
        return fine(ORDER, _("The plan “%s” opens it.") % row.plan, about=row)
    remedy = _("Add it to the plan under “Modules in each plan” in the admin, or let them buy it.")
    sentence = _("The plan “%s” does not open it.") % row.plan if row.plan else _("It belongs to no plan of ours.")
    return broken(ORDER, sentence, remedy=remedy, about=row)


def _of_token(token: AccessToken, records: Records) -> Chain:
    entitlement = entitlement_of_token(token)
    row = rows_by_key(records.accesses).get(entitlement.key)
    links = [*_basis_links(token, records), *_access_links(records, entitlement, row, token.prefix, token=token)]
    return _chain(AccessType.TOKEN, token.prefix, records, links, entitlement, row, key=repair_key(token))


def _basis_links(token: AccessToken, records: Records) -> Iterable[Link]:
    """What a token rests on: an order's money, what staff gave, or staff's word alone."""
    if token.order:
        own = next((each for each in records.purchases if each.order_id == token.order_id), None)
        if own:
            return _of_purchase(own, records).links[1:4]
        return [*_money_not_needed(_("The token rests on %s.") % token.order.number)]
    if token.grant and not token.grant.is_active:
        sentence = _("%s, on which the token rests, has ended.") % token.grant.number
        link = broken(
            ORDER, sentence, remedy=_("Give a new access in the admin, if that was wrong."), about=token.grant
        )
        return [*_money_not_needed(_("Staff gave it, without a payment."))[:2], link]
    return _money_not_needed(_("Staff gave it, without a payment."))


def _money_not_needed(sentence: str) -> list[Link]:
    return [not_needed(name, sentence) for name in (PAYMENT, EVENT, ORDER)]


def _access_links(
    records: Records, entitlement: Entitlement | None, row: Any, source: str, *, token: AccessToken | None = None
) -> list[Link]:  # fmt: skip
    access = access_link(entitlement, row, source=source, at=records.at)
    return [access, token_link(token, at=records.at), encours_link(records.user, row)]


def _chain(
    access_type: str, source: str, records: Records, links: Iterable[Link], entitlement: Entitlement | None = None,
    row: Any = None, *, key: str = "",
) -> Chain:  # fmt: skip
    is_wrong = entitlement is not None and differs(entitlement, row, at=records.at)
    return Chain(str(access_type), source, [account_link(records.user), *links], key if is_wrong else "")
