"""Live subscriptions are adopted: the file names them, and what counts is what Stripe says of each.

Asked by the road of every comparison with Stripe (payments.resync). Nobody is billed anew: they go on at Stripe as they
are.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import User
from payments.apply.apply import follow_subscriptions_again
from payments.billing.models import Customer, Subscription
from payments.moving_in.files import Row
from payments.moving_in.importers import Importer, Outcome, Result, RowRefused, Stopped, brings
from payments.moving_in.people import find_people
from payments.moving_in.values import Column, old_id, optional, stripe_name
from payments.resync import KeepsMoving, ResyncOptions, UnknownName, resync_subscription_called
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.stripe_api.lookups import RATE_LIMIT_PATIENCE, ThrottledStripe
from payments.stripe_api.snapshots import MalformedObject

SOURCE = "manage.py import_data"


class SubscriptionImporter(Importer):
    """`user`: whose it is, by old id or address, where Stripe's customer has another address than the account."""

    kind = "subscriptions"
    columns = (
        Column("id", stripe_name("sub_"), is_unique=True),
        optional("user", old_id, fallback=""),
    )
    asks_stripe = True
    # Few: Stripe is asked several things about each, and somebody watches.
    chunk = 10

    def __init__(self) -> None:
        # One for the whole run: it measures how often Stripe is asked.
        self.stripe = ThrottledStripe(patience=RATE_LIMIT_PATIENCE)

    def take(self, rows: Sequence[Row], *, at: datetime, is_dry_run: bool) -> Sequence[Result]:
        options = ResyncOptions(at=at, by=SOURCE, dry_run=is_dry_run, stripe=self.stripe)
        people = find_people({row["user"] for row in rows if row["user"]})
        return [_take(row, people.get(row["user"]), options=options) for row in rows]


def _take(row: Row, user: User | None, *, options: ResyncOptions) -> Result:
    if row["user"] and user is None:
        return Result(Outcome.REFUSED, f"Nobody here is called {row['user']}: import the users first.", "user")
    try:
        outcome, note = _adopt(row.id, options=options)
        linked = _link(row.id, user, at=options.at) if user and not options.dry_run else False
    except RowRefused as refusal:
        return refusal.result
    if linked and outcome == Outcome.THERE:
        return Result(Outcome.CHANGED, "Its account was not known here.")
    return Result(outcome, note)


def _adopt(name: str, *, options: ResyncOptions) -> tuple[Outcome, str]:
    """What is known is not asked for again: events keep it true. Raises RowRefused, Stopped."""
    own = Subscription.objects.filter(stripe_id=name)
    if own.filter(stripe_updated_at__isnull=False, needs_resync=False).exists():
        return Outcome.THERE, ""
    was_known = own.exists()
    try:
        done = resync_subscription_called(name, options=options)
    except UnknownName as why:
        raise RowRefused("id", f"{str(why)[:1].upper()}{str(why)[1:]}.") from why
    except (MalformedObject, KeepsMoving) as trouble:
        raise RowRefused("id", f"Stripe’s answer could not be taken: {trouble}.") from trouble
    except (GatewayUnavailable, GatewayRefused) as trouble:
        raise Stopped(f"Stripe does not answer as it should, so the rest was not asked for: {trouble}") from trouble
    status = next((after for what, _before, after in done.changes if what == "status"), "")
    return Outcome.CHANGED if was_known else Outcome.CREATED, status


@transaction.atomic
def _link(name: str, user: User, *, at: datetime) -> bool:
    """Let the customer be the account's; what the subscription opens follows. Raises RowRefused."""
    customer = Customer.objects.filter(subscriptions__stripe_id=name).first()
    if customer is None or customer.user_id == user.pk:
        return False
    own = customer.subscriptions.order_by("pk").select_for_update(no_key=True)
    ids = list(own.values_list("pk", flat=True))
    if not Customer.objects.filter(pk=customer.pk, user=None).update(user=user):
        raise RowRefused("user", "It is here, but Stripe’s customer belongs to another account.")
    follow_subscriptions_again(ids, source=SOURCE, at=at)
    return True


brings(SubscriptionImporter)
