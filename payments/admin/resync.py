"""Comparing with Stripe, and putting right what differs: shown first, done with a reason, bound to what was shown."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import structlog
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from payments.admin.kit.actions import Confirmation
from payments.admin.kit.display import page_of
from payments.admin.kit.preview import Line, Preview, PreviewedAction, PreviewOutdated, PreviewToken
from payments.apply.outcome import Outcome
from payments.billing.models import Customer, Subscription
from payments.orders.labels import name_of, value_of
from payments.orders.models import Order
from payments.resync import (
    HasMoved,
    KeepsMoving,
    Resynced,
    ResyncOptions,
    resync_customer,
    resync_order,
    resync_person,
    resync_subscription,
    resync_user,
)
from payments.samples.story import is_made_up
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable, in_a_hurry
from payments.stripe_api.snapshots import MalformedObject
from payments.timeline.people import Person

log = structlog.get_logger(__name__)
TROUBLES = (GatewayUnavailable, GatewayRefused, MalformedObject, KeepsMoving)
CONSEQUENCES = (
    gettext_lazy("What Stripe says replaces what stands here, by the same rules as its events."),
    gettext_lazy("What was bought follows: places, access, questions for staff. No mail goes out a second time."),
    gettext_lazy("It is applied only if the differences are still those shown here."),
)
Row = TypeVar("Row", bound=Order | Subscription | Customer | User)


@dataclass(frozen=True)
class ResyncAction(PreviewedAction[Row]):
    """Asks Stripe, and lets it replace what stands here. `resync`: the service for such a row, as far as it reaches."""

    resync: Callable[[Row, ResyncOptions], list[Resynced]]

    columns = (gettext_lazy("What"), gettext_lazy("Here"), gettext_lazy("At Stripe"))

    def answer(self, screen: admin.ModelAdmin, request: HttpRequest, target: Row) -> HttpResponse:
        try:
            with in_a_hurry():
                return super().answer(screen, request, target)
        except TROUBLES as trouble:
            log.info("resync.refused", subject=str(target), trouble=repr(trouble))
            messages.error(request, _trouble_text(trouble))
            return redirect(page_of(target))

    def preview(self, target: Row, *, at: datetime) -> Preview:
        return _preview(target, self.resync(target, ResyncOptions(at=at, dry_run=True)))

    def carry_out(self, target: Row, confirmation: Confirmation, *, token: PreviewToken) -> int:
        options = ResyncOptions(at=confirmation.at, by=confirmation.author, expected=token)
        try:
            done = self.resync(target, options)
        except HasMoved as refusal:
            moved = _("%s has changed since: this is what differs now.") % refusal
            raise PreviewOutdated(moved) from refusal
        return sum(len(each.changes) for each in done)

    def done_message(self, count: int) -> str:
        done = ngettext("%(count)d difference was put right.", "%(count)d differences were put right.", count)
        return done % {"count": count}

    def address_after(self, request: HttpRequest, target: Row) -> str:
        return page_of(target)


def _resync_person(customer: Customer, options: ResyncOptions) -> list[Resynced]:
    """Who they are, all their subscriptions, and their orders as far as an e-mail address tells them."""
    return (
        resync_person(customer.email, options=options) if customer.email else resync_customer(customer, options=options)
    )


# Of all three buttons.
COMPARE: dict[str, Any] = {
    "label": gettext_lazy("Compare with Stripe…"),
    "only_one": gettext_lazy("One is compared at a time: choose one."),
}

# One order, its sessions and its money.
resync_order_action = ResyncAction[Order](lambda row, options: [resync_order(row, options=options)]).as_action(
    "resync_order_action", description=gettext_lazy("Compare the selected order with Stripe…"),
    permission="payments.resync_order", **COMPARE,
)  # fmt: skip
# One subscription, its invoices and its customer.
resync_subscription_action = ResyncAction[Subscription](
    lambda row, options: [resync_subscription(row.stripe_id, options=options)]
).as_action(
    "resync_subscription_action", description=gettext_lazy("Compare the selected subscription with Stripe…"),
    permission="payments.resync_subscription", **COMPARE,
)  # fmt: skip
resync_customer_action = ResyncAction[Customer](_resync_person).as_action(
    "resync_customer_action", description=gettext_lazy("Compare the selected customer with Stripe…"),
    permission="payments.resync_customer", **COMPARE,
)  # fmt: skip

# Their orders, and them as Stripe knows them.
resync_user_action = ResyncAction[User](lambda row, options: resync_user(row, options=options)).as_action(
    "resync_user_action", description=gettext_lazy("Compare the selected person with Stripe…"),
    permission="payments.resync_customer",
    **{**COMPARE, "label": gettext_lazy("Sync this person…")},
)  # fmt: skip


def _preview(row: Order | Subscription | Customer | User, found: list[Resynced]) -> Preview:
    """One thing is said: that it differs, or what Stripe does not know, or that nothing was asked, or that it is so."""
    currencies = _currencies(row)
    changed, missing = [each for each in found if each.changes], [each for each in found if each.missing]
    asked = [each for each in found if each.was_asked]
    if changed:
        title, verdict, no_lines = _("Put %s right?"), "", ""
    elif missing:
        title, no_lines = _("Stripe does not know all of it: %s"), _("Stripe does not know all of it.")
        verdict = _("Nothing can be put right: see below what Stripe does not know.")
    elif not asked:
        title, no_lines = _("Stripe was not asked: %s"), _("Stripe was not asked.")
        verdict = _("There is no payment page and no payment about which Stripe could be asked.")
    else:
        title, verdict, no_lines = (
            _("Nothing differs: %s"),
            _("What stands here is what Stripe says."),
            _("Nothing differs."),
        )
    # Asking settles a doubt even where nothing differs.
    has_doubt = isinstance(row, Subscription) and row.needs_resync
    return Preview(
        title=title % _name(row),
        token={each.subject: each.fingerprints for each in found},
        sections=[
            (each.subject, _lines(each, currencies.get(each.subject, "")))
            for each in changed or missing or asked or found
        ],
        consequences=CONSEQUENCES,
        footnotes=[*(_missing_text(name, each.subject) for each in missing for name in each.missing), _asked_text()],
        verdict="" if has_doubt else verdict,
        no_lines=no_lines,
        outcome=Outcome.of_all(each.outcome for each in changed if each.outcome) if changed else None,
    )


def _missing_text(name: str, subject: str) -> str:
    if is_made_up(name, order_number=subject):
        return _("Stripe does not know %(name)s: a sample event (manage.py send_event) has made it up.") % {
            "name": name
        }
    return _("Stripe does not know %(name)s.") % {"name": name}


def _lines(found: Resynced, currency: str) -> list[Line]:
    return [
        (name_of(what), value_of(what, here, currency=currency), value_of(what, there, currency=currency))
        for what, here, there in found.changes
    ]


def _asked_text() -> str:
    return _("Asked of Stripe: %(moment)s") % {"moment": date_format(timezone.localtime(), "DATETIME_FORMAT")}


def _currencies(row: Order | Subscription | Customer | User) -> dict[str, str]:
    """By what is compared: of a customer, everything that they have."""
    if isinstance(row, Order | Subscription):
        return {_name(row): row.currency}
    person = Person.of_user(row) if isinstance(row, User) else Person.of_customer(row)
    rows = [told.owner for told in person.statements]
    return {_name(each): each.currency for each in rows}


def _name(row: Order | Subscription | Customer | User) -> str:
    return row.number if isinstance(row, Order) else str(row)


def _trouble_text(trouble: Exception) -> str:
    """What went wrong, and that nothing is lost by it."""
    if isinstance(trouble, GatewayUnavailable | MalformedObject):
        return _("Stripe does not answer at the moment. Nothing was changed by that; try again in a minute.")
    if isinstance(trouble, KeepsMoving):
        return _("%s is changing at this very moment: try again in a minute.") % trouble
    return _("Stripe has refused to tell: %s") % trouble
