"""One chain for each source that somebody's access to a module could come from."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.translation import gettext as _

from modules_access.doctor.access import access_link, account_link, encours_link, token_link
from modules_access.doctor.links import Chain, Link, broken, fine, not_needed
from modules_access.doctor.money import (
    EVENT,
    ORDER,
    PAYMENT,
    event_link,
    has_come_through,
    order_link,
    payment_of_order,
    payment_of_subscription,
)
from modules_access.doctor.read import Known, names_of
from modules_access.models import AccessToken, AccessType
from modules_access.repair.missing import key_of
from modules_access.settle import differs, rows_by_key
from modules_access.wanted import Wanted, wanted_of_purchase, wanted_of_subscription, wanted_of_token
from payments.billing.models import Subscription
from payments.billing.subscribers import gives_access

Found = tuple[int, Chain]


def chains_of(known: Known) -> Iterator[Found]:
    """The id of the module, and the chain; purchases first."""
    for purchase in known.purchases:
        yield purchase.module_id, _of_purchase(purchase, known)
    for row in known.subscriptions:
        yield from _of_subscription(row, known)
    for token in known.tokens:
        yield token.module_id, _of_token(token, known)
    for grant in known.accesses:
        if grant.access_type == AccessType.GRANT and known.module in (None, grant.module):
            links = [*_money(_("Staff gave it, without a payment.")), *_rest(known, None, grant, grant.number)]
            yield grant.module_id, _chain(AccessType.GRANT, grant.number, known, links)


def no_chain(known: Known) -> Chain:
    """Nothing at all would give the person access."""
    what = known.module or _("any module")
    sentence = _("Neither an order nor a subscription, a token or staff gives access to %s.") % what
    remedy = _("They can buy it or subscribe, or staff can give access.")
    return Chain("", "", [account_link(known.user), broken(PAYMENT, sentence, remedy=remedy)])


def _of_purchase(purchase: Any, known: Known) -> Chain:
    order = purchase.order
    events = known.events_of(names_of(purchase), order_id=order.pk)
    wanted = wanted_of_purchase(purchase, order)
    is_told, command = bool(purchase.payments), f"manage.py resync order {order.number}"
    money = [
        payment_of_order(purchase, events),
        event_link(events, is_fine=has_come_through(order), is_told=is_told, command=command),
        order_link(purchase),
    ]
    row = rows_by_key(known.accesses).get(wanted.key)
    links = [*money, *_rest(known, wanted, row, order.number)]
    return _chain(AccessType.PURCHASE, order.number, known, links, key=key_of(order), wanted=wanted, row=row)


def _of_subscription(row: Subscription, known: Known) -> Iterator[Found]:
    own = [access for access in known.accesses if access.subscription_id == row.pk]
    command = f"manage.py resync subscription {row.stripe_id}"
    events = known.events_of([row.stripe_id], subscription_id=row.pk)
    is_fine, is_told = gives_access(row, at=known.at), row.stripe_updated_at is not None
    money = [
        payment_of_subscription(row, at=known.at),
        event_link(events, is_fine=is_fine, is_told=is_told, command=command),
    ]
    wanted = {each.module_id: each for each in wanted_of_subscription(row, known.openings, known=own)}
    opened = known.openings.of_plan(row.plan_id)
    asked = {known.module.pk} if known.module else set(wanted)
    for module_id in sorted(asked & known.modules.keys()):
        each = wanted.get(module_id)
        access = rows_by_key(own).get(each.key) if each else None
        link = _plan_link(row, is_open=module_id in opened)
        links = [*money, link, *_rest(known, each, access, row.stripe_id)]
        yield module_id, _chain(
            AccessType.SUBSCRIPTION, row.stripe_id, known, links, key=key_of(row), wanted=each, row=access
        )  # fmt: skip


def _plan_link(row: Subscription, *, is_open: bool) -> Link:
    """A subscription takes no order of its own: its plan says what it buys."""
    if is_open:
        return fine(ORDER, _("The plan “%s” opens it.") % row.plan, about=row)
    remedy = _("Let the plan open it under “What plans open” in the admin, or let them buy it.")
    sentence = _("The plan “%s” does not open it.") % row.plan if row.plan else _("It belongs to no plan of ours.")
    return broken(ORDER, sentence, remedy=remedy, about=row)


def _of_token(token: AccessToken, known: Known) -> Chain:
    wanted = wanted_of_token(token)
    row = rows_by_key(known.accesses).get(wanted.key)
    links = [*_grounds(token, known), *_rest(known, wanted, row, token.prefix, token=token)]
    return _chain(AccessType.TOKEN, token.prefix, known, links, key=key_of(token), wanted=wanted, row=row)


def _grounds(token: AccessToken, known: Known) -> Iterable[Link]:
    """What a token rests on: an order's money, what staff gave, or staff's word alone."""
    if token.order:
        own = next((each for each in known.purchases if each.order_id == token.order_id), None)
        if own:
            return _of_purchase(own, known).links[1:4]
        return [*_money(_("The token rests on %s.") % token.order.number)]
    if token.grant and not token.grant.is_active:
        sentence = _("%s, on which the token rests, has ended.") % token.grant.number
        link = broken(
            ORDER, sentence, remedy=_("Give a new access in the admin, if that was wrong."), about=token.grant
        )
        return [*_money(_("Staff gave it, without a payment."))[:2], link]
    return _money(_("Staff gave it, without a payment."))


def _money(sentence: str) -> list[Link]:
    return [not_needed(name, sentence) for name in (PAYMENT, EVENT, ORDER)]


def _rest(
    known: Known, wanted: Wanted | None, row: Any, source: str, *, token: AccessToken | None = None
) -> list[Link]:  # fmt: skip
    access = access_link(wanted, row, source=source, at=known.at)
    return [access, token_link(token, at=known.at), encours_link(known.user, row)]


def _chain(
    access_type: str, source: str, known: Known, links: Iterable[Link], *, key: str = "", wanted: Wanted | None = None,
    row: Any = None,
) -> Chain:  # fmt: skip
    is_wrong = wanted is not None and differs(wanted, row, at=known.at)
    return Chain(str(access_type), source, [account_link(known.user), *links], key if is_wrong else "")
