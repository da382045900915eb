"""Registrations of another system: each with its order and its place, found from now on by its old id.

An activity that is not here yet is made from what the row says of it; its old id becomes its address.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter

from django.conf import settings

from accounts.models import User
from payments.moving_in.files import Row
from payments.moving_in.importers import RowRefused, brings
from payments.moving_in.orders import COLUMNS, Draft, OrderImporter, new_order
from payments.moving_in.people import LANGUAGES
from payments.moving_in.values import Column, amount, moment, number, one_of, optional, slug, text
from payments.names import REGISTRATION
from payments.sql import update_rows
from payments.statuses import OPEN_STATUSES, OrderStatus
from registrations.models import ORDER_KIND, Activity, LateMoney, Registration
from registrations.places import move_places

# What an activity that is not here must be told by.
NEW_ACTIVITY = ("activity_title", "activity_starts_at", "activity_capacity")


class RegistrationImporter(OrderImporter):
    """Paid ones take a place as paid ones do; open ones hold theirs as long as the old payment page is open."""

    kind = "registrations"
    columns = (
        *COLUMNS,
        Column("name", text()),
        optional("language", one_of(LANGUAGES), fallback=settings.LANGUAGE_CODE),
        Column("activity", slug),
        optional("activity_title", text(), fallback=""),
        optional("activity_starts_at", moment),
        optional("activity_capacity", number),
        optional("activity_price", amount),
        optional("activity_place", text(), fallback=""),
    )

    def known_orders(self, ids: Collection[str]) -> Mapping[str, int]:
        rows = Registration.objects.filter(external_id__in=ids)
        return {str(name): key for name, key in rows.values_list("external_id", "order")}

    def drafts(self, rows: Sequence[Row], *, at: datetime) -> Sequence[Draft | RowRefused]:
        activities = _activities(rows)
        confirmed = User.objects.filter(email_confirmed_at__isnull=False, is_active=True)
        users = {user.email: user for user in confirmed.filter(email__in={row["email"] for row in rows})}
        return [_draft(row, activities.get(row["activity"]), users.get(row["email"])) for row in rows]

    def admit(self, drafts: Sequence[Draft], *, at: datetime) -> Mapping[int, RowRefused]:
        """Who may still pay holds a place, or is refused; nobody's money shall go back because of an import."""
        paid = [draft for draft in drafts if draft.is_paid]
        holding = [draft for draft in drafts if not draft.is_paid and _may_still_pay(draft, at=at)]
        return _refunded_at_once(paid) | _hold_places(holding)

    def keep(self, drafts: Sequence[Draft], *, at: datetime) -> None:
        for draft in drafts:
            draft.thing.order = draft.order
        Registration.objects.bulk_create([draft.thing for draft in drafts])

    def tell(self, drafts: Sequence[Draft]) -> None:
        ids = [draft.thing.pk for draft in drafts]
        waits = Registration.objects.filter(pk__in=ids, waits_since__isnull=False)
        unseated = set(waits.values_list("pk", flat=True)) if ids else set()
        for draft in drafts:
            if draft.thing.pk in unseated:
                draft.notes.append("Paid, and no place is left: staff are asked.")


def _draft(row: Row, activity: Activity | None, user: User | None) -> Draft | RowRefused:
    if activity is None:
        told = f"There is no activity with this address; to make it, {', '.join(NEW_ACTIVITY)} are needed."
        return RowRefused("activity", told)
    order = new_order(row, kind=ORDER_KIND, label=activity.title)
    thing = Registration(
        external_id=row.id, activity=activity, user=user, name=row["name"], email=row["email"],
        language=row["language"], created_at=row["created_at"],
    )  # fmt: skip
    names = [f"{REGISTRATION}{thing.public_id}", f"{REGISTRATION}{row.id}"]
    return Draft(row, order, names, thing)


def _activities(rows: Sequence[Row]) -> dict[str, Activity]:
    """Those that are here, and those that the rows tell of: made now, on sale only where the day is still to come."""
    found = {each.slug: each for each in Activity.objects.filter(slug__in={row["activity"] for row in rows})}
    new: dict[str, Activity] = {}
    for row in rows:
        if row["activity"] not in found and all(row[name] is not None and row[name] != "" for name in NEW_ACTIVITY):
            new.setdefault(row["activity"], _activity(row))
    return found | {each.slug: each for each in Activity.objects.bulk_create(new.values())}


def _activity(row: Row) -> Activity:
    price = row["amount"] if row["activity_price"] is None else row["activity_price"]
    return Activity(
        slug=row["activity"], title=row["activity_title"], starts_at=row["activity_starts_at"], price=price,
        currency=row["currency"], capacity=row["activity_capacity"], place=row["activity_place"],
    )  # fmt: skip


def _may_still_pay(draft: Draft, *, at: datetime) -> bool:
    """Somebody has the old payment page before them, or a payment is under way."""
    status = draft.row["status"]
    if status == OrderStatus.PROCESSING:
        return True
    return status in OPEN_STATUSES and status != OrderStatus.FAILED and draft.expires_at > at


def _refunded_at_once(paid: Iterable[Draft]) -> dict[int, RowRefused]:
    """Those for whom no place is left where that refunds by itself; who paid first comes first."""
    refused, taken = {}, Counter[int]()
    for draft in sorted(paid, key=lambda draft: draft.row["paid_at"]):
        activity = draft.thing.activity
        taken[activity.pk] += 1
        if activity.late_money == LateMoney.REFUND and taken[activity.pk] > activity.places_left:
            told = "No place is left, and this activity refunds late payments by itself: give it more places first."
            refused[draft.row.number] = RowRefused("activity", told)
    return refused


def _hold_places(drafts: Sequence[Draft]) -> dict[int, RowRefused]:
    """Seat them, who came first first; the rest is refused."""
    rows = {draft.row.number: draft.thing for draft in drafts}
    if not rows:
        return {}
    for thing in rows.values():
        thing.waits_since = thing.created_at
    # Who has paid and waits comes before who may still pay.
    promoted = move_places(leaving=[], coming=sorted(rows.values(), key=attrgetter("created_at", "external_id")))
    update_rows(Registration, [{"id": row.pk, "holds_place": True, "waits_since": None} for row in promoted])
    refused = {}
    for draft in drafts:
        thing = draft.thing
        if thing.holds_place:
            thing.held_until = None if draft.row["status"] == OrderStatus.PROCESSING else draft.expires_at
        else:
            told = "It may still be paid, but no place is left, or this person holds one already."
            refused[draft.row.number] = RowRefused("activity", told)
    return refused


brings(RegistrationImporter)
