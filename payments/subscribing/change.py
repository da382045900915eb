"""Another plan, an end with the period, going on after all (docs/adr/0010-changing-plans.md); cards and invoices."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings

from accounts.models import User
from payments.billing.fold import seconds
from payments.billing.models import Customer, Plan, Subscription
from payments.checkout.refusals import Cause, asking_about_refusals
from payments.statuses import SUBSCRIPTION_PAYING
from payments.stripe_api.gateway import create_portal_session, update_subscription
from payments.stripe_api.lookups import look_up_subscription
from payments.subscribing.current import apply_answer, get_live, live_of
from payments.subscribing.preview import Agreed, changed_items, confirm_sum

log = structlog.get_logger(__name__)
# Stripe's own name for it.
PORTAL = "Customer portal"


class NotChangeable(Exception):
    """As it stands, the subscription cannot go to this plan: it ends, is not paid or collected, or the plan is not
    offered to it.
    """


class NoCustomer(Exception):
    """Stripe does not know the person: they have bought nothing there that renews itself."""


def can_change(row: Subscription, plan: Plan) -> bool:
    """Whether the subscription may go to the plan now. Stripe keeps a customer's currency."""
    is_offered = plan.is_on_sale and plan.currency == row.currency and plan.pk != row.plan_id
    return is_offered and row.status in SUBSCRIPTION_PAYING and row.cancel_at is None and not row.pause


def change_plan(*, user: User, plan: Plan, at: datetime, agreed: str | None = None) -> Subscription:
    """Go over to the plan now; what is left of the old period is credited. Safe to call again.

    `agreed`: the token of the preview that was shown; exactly its sum is charged. None (programs, which ask for no
    preview): what Stripe counts at this second.

    Raises NoSubscription, NotChangeable, SumMoved; GatewayRefused with `is_declined` where the bank declines: then
    nothing has changed.
    """
    row = get_live(user)
    if row.plan_id == plan.pk:
        return row
    if not can_change(row, plan):
        raise NotChangeable(plan.slug)
    seen = None if agreed is None else Agreed.read(agreed, row=row, plan=plan)
    items = changed_items(row, plan)
    if seen:
        confirm_sum(row, plan, seen, items)
    params: dict[str, Any] = {
        "items": items,
        "metadata": {"plan": plan.slug},
        "proration_behavior": "always_invoice",
        "payment_behavior": "error_if_incomplete",
    }
    verb = f"plan:{plan.slug}"
    if seen and seen.date is not None:
        params["proration_date"], verb = seen.date, f"{verb}:{seen.date}"
    return _update(row, params, verb=verb, cause=Cause.of_plan(plan), at=at)


def cancel_at_period_end(*, user: User, at: datetime) -> Subscription:
    """Let it end with the period that is paid; until then everything stays as it is. Raises NoSubscription."""
    row = get_live(user)
    if row.cancel_at:
        return row
    return _update(row, {"cancel_at_period_end": True}, verb="cancel", at=at)


def resume(*, user: User, at: datetime) -> Subscription:
    """Let it go on after its period, although an end was planned. Raises NoSubscription."""
    row = get_live(user)
    if row.cancel_at is None:
        return row
    ends_with_period = look_up_subscription(row.stripe_id).raw.get("cancel_at_period_end") is True
    return _update(
        row, {"cancel_at_period_end": False} if ends_with_period else {"cancel_at": ""}, verb="resume", at=at
    )


def open_portal(*, user: User, return_path: str, language: str, at: datetime) -> str:
    """The address of Stripe's Customer Portal for cards and invoices, good for some minutes. Raises NoCustomer."""
    live = live_of(user).first()
    customer = live.customer if live else Customer.objects.living_of(user.pk).last()
    if customer is None:
        raise NoCustomer(str(user.pk))
    return_url = f"{settings.SITE_URL}{return_path}"
    # One cause for all: the portal has to be set up in Stripe's Dashboard before anybody gets in.
    with asking_about_refusals(Cause("portal", PORTAL), at=at):
        return create_portal_session(customer=customer.stripe_id, return_url=return_url, language=language)


def _update(
    row: Subscription, params: Mapping[str, Any], *, verb: str, at: datetime, cause: Cause | None = None
) -> Subscription:
    key = _idempotency_key(row, verb, at)
    with asking_about_refusals(cause or Cause(f"{verb}:{row.stripe_id}", f"{row.stripe_id}, {verb}"), at=at):
        answer = update_subscription(subscription=row.stripe_id, params=params, idempotency_key=key)
    apply_answer(answer, at=at)
    log.info("subscription.asked", subscription=row.stripe_id, verb=verb)
    row.refresh_from_db()
    return row


def _idempotency_key(row: Subscription, verb: str, at: datetime) -> str:
    """One wish about one state, repeated within a minute, is one request: a double click.

    Not for ever: Stripe keeps a refusal with its key for a day, and by then the person may have another card.
    """
    return f"{row.stripe_id}:{verb}:{seconds(row.stripe_updated_at)}:{row.fingerprint[:16]}:{at:%Y%m%d%H%M}"
