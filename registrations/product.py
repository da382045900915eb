"""A registration as something that is sold: it follows its order; accounts, staff and disputes see it here."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db.models import Model, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.hooks import Section
from accounts.models import User
from accounts.personal import shown_name
from payments.cleanup.closing import due_dates
from payments.diagnosis import Finding, Records
from payments.orders.models import Order
from payments.products import FollowResult, Lead, Product, ProductChange, Question, register
from payments.sql import select_rows, update_rows
from payments.statuses import CLOSED_PHASE, STATUS_ORDER, DisputeState, ExceptionKind, OrderStatus
from payments.timeline import Holding, Moment, Subject
from payments.todo import Done, Source
from registrations.findings import findings_about
from registrations.links import mailed_page_path, page_path, receipt_path
from registrations.mails import facts_about, message_for
from registrations.models import ORDER_KIND, Activity, Registration, RegistrationStatus
from registrations.pages.display_state import RegistrationDisplayState, display_state_of
from registrations.places import find_seatable, move_places, refund_late_money, whose_money_stays
from registrations.story import registrations_of, told_by_registration
from registrations.todo import PAID_WITHOUT_PLACE, places_freed

log = structlog.get_logger(__name__)
FOLLOWED_FIELDS = ("status", "holds_place", "waits_since", "times_waited", "held_until")

# What the history of an order calls it, and says of it.
PLACE = "place"
PLACE_CHANGES = {"held": gettext_lazy("A place is held."), "free": gettext_lazy("The place is free again.")}
# Nobody has so many; the page must not grow without limit all the same.
MAX_LINES = 200
# The pills of the registration's own page (templates/registrations/state.html).
LABELS: dict[RegistrationDisplayState, tuple[str, str | Promise]] = {
    RegistrationDisplayState.CONFIRMED: ("good", pgettext_lazy("pill", "confirmed")),
    RegistrationDisplayState.NO_PLACE: ("few", pgettext_lazy("pill", "paid, without a place")),
    RegistrationDisplayState.CONFIRMING: ("few", pgettext_lazy("pill", "being confirmed")),
    RegistrationDisplayState.UNCONFIRMED: ("few", pgettext_lazy("pill", "being confirmed")),
    RegistrationDisplayState.CONFIRM_ADDRESS: ("few", pgettext_lazy("pill", "to be confirmed")),
    RegistrationDisplayState.OFFERED: ("few", pgettext_lazy("pill", "offered to you")),
    RegistrationDisplayState.WAITING: ("few", pgettext_lazy("pill", "waiting for payment")),
    RegistrationDisplayState.ACTION_REQUIRED: ("few", pgettext_lazy("pill", "waiting for you")),
    RegistrationDisplayState.PROCESSING: ("few", pgettext_lazy("pill", "payment under way")),
    RegistrationDisplayState.DECLINED: ("none", pgettext_lazy("pill", "payment declined")),
    RegistrationDisplayState.TOO_LATE: ("off", pgettext_lazy("pill", "over")),
    RegistrationDisplayState.EXPIRED: ("off", pgettext_lazy("pill", "expired")),
    RegistrationDisplayState.CANCELED: ("off", pgettext_lazy("pill", "canceled")),
    RegistrationDisplayState.REFUNDED: ("off", pgettext_lazy("pill", "refunded")),
    RegistrationDisplayState.GIVEN_UP: ("off", pgettext_lazy("pill", "canceled")),
    RegistrationDisplayState.TAKEN_BACK: ("off", pgettext_lazy("pill", "ended")),
    RegistrationDisplayState.CALLED_OFF: ("none", pgettext_lazy("pill", "called off")),
    RegistrationDisplayState.CALLED_OFF_PAID: ("none", pgettext_lazy("pill", "called off")),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One registration. `page` and `receipt`: addresses; "" where nothing was paid."""

    registration: Registration
    tint: str
    label: str | Promise
    page: str
    receipt: str


def status_for(order: Order) -> str:
    """What staff see: a dispute that is open or lost shows as a failure, a bank that only asks does not."""
    is_disputed = order.dispute_state in (DisputeState.OPEN, DisputeState.LOST)
    return RegistrationStatus.FAILED if is_disputed else order.status


def keeps_no_place(order: Order) -> bool:
    """Nothing came, all of it went back, or a lost dispute took it."""
    if order.status == OrderStatus.PAID:
        return order.dispute_state == DisputeState.LOST
    return order.status == OrderStatus.REFUNDED or STATUS_ORDER[order.status][0] == CLOSED_PHASE


def paid_without_place(row: Registration, order: Order) -> bool:
    """Paid, or nothing was due, and without a place. Who gave theirs up asks for none."""
    return order.has_money and not row.holds_place and not row.given_up_at


class RegistrationProduct(Product):
    """Follows many orders at once: places that become free go to who paid first, in the same breath."""

    kind = ORDER_KIND
    label = gettext_lazy("Registrations")
    price_screen = "registrations.activity"

    def follow_orders(self, orders: Sequence[Order], *, at: datetime) -> FollowResult:
        by_id = {order.pk: order for order in orders}
        rows = select_rows(Registration, "WHERE order_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [list(by_id)])
        before = {row.pk: _state(row) for row in rows}
        for row in rows:
            row.status = _status_of(row, by_id[row.order_id])
        unseated = [row for row in rows if paid_without_place(row, by_id[row.order_id])]
        unseated = whose_money_stays(unseated) if unseated else []
        promoted = _move_places(rows, by_id, seeking=find_seatable(unseated) if unseated else [])
        late = [row for row in unseated if not row.holds_place and before[row.pk]["waits_since"] is None]
        refunds = refund_late_money(late, by_id, at=at) if late else []
        for row in rows:
            row.times_waited += row.waits_since is not None and before[row.pk]["waits_since"] is None
        _hold_as_long_as_one_can_pay(rows, by_id)
        for row in promoted:
            row.held_until = None
        _write([*rows, *promoted], before)
        outcome = _outcome(rows, by_id, promoted, before)
        outcome.effects += refunds
        return outcome

    def hold(self, order: Order, *, until: datetime) -> None:
        # An offer ends when it was said to end: paying neither shortens nor prolongs it.
        own = Registration.objects.filter(order=order, holds_place=True, waited__isnull=True)
        own.update(held_until=min(until, due_dates([order.pk])[order.pk]))

    def language_of(self, order: Order) -> str:
        return Registration.objects.filter(order=order).values_list("language", flat=True).first() or ""

    def page_of(self, order: Order) -> str:
        row = Registration.objects.filter(order=order).first()
        return page_path(row) if row else ""

    def receipts_of(self, orders: Sequence[Order]) -> Mapping[int, str]:
        rows = Registration.objects.filter(order__in=orders).select_related("order")
        return {row.order_id: path for row in rows if (path := receipt_path(row))}

    def page_in_mails(self, order: Order) -> str:
        row = Registration.objects.filter(order=order).first()
        return mailed_page_path(row) if row else ""

    def facts_in_mails(self, order: Order) -> Mapping[str, object]:
        row = Registration.objects.select_related("activity").filter(order=order).first()
        return facts_about(row) if row else {}

    def price_name(self, order: Order) -> str:
        slugs = Registration.objects.filter(order=order).values_list("activity__slug", flat=True)
        return f"{ORDER_KIND}:{slugs.first() or order.label}"

    def purchased_rows(self, subject: Subject) -> Iterator[tuple[Model, str]]:
        """The registration, by the person's name."""
        for row in registrations_of(subject):
            yield row, shown_name(row.name)

    def guests(self, addresses: Collection[str]) -> Collection[str]:
        guests = Registration.objects.filter(email__in=addresses, user__isnull=True)
        return set(guests.values_list("email", flat=True))

    def join_account(self, user: User, *, at: datetime) -> None:
        """Those with the address that belong to nobody yet; locked in the order in which everybody locks them."""
        guests = Registration.objects.filter(email=user.email, user__isnull=True).order_by("pk")
        ids = list(guests.select_for_update(no_key=True).values_list("pk", flat=True))
        Registration.objects.filter(pk__in=ids).update(user=user)

    def account_section(self, user: User, *, at: datetime) -> Section:
        """The latest date first; what ended unpaid is left out, as in every list. One query."""
        rows = user.registrations.live().select_related("activity", "order").order_by("-activity__starts_at", "-pk")
        lines = [_line(row, at=at) for row in rows[:MAX_LINES]]
        return Section(_("Your registrations"), "accounts/registrations.html", {"lines": lines})

    def needs_a_person(self) -> Iterator[Source]:
        yield PAID_WITHOUT_PLACE

    def done_by_itself(self, *, since: datetime) -> Iterator[Done]:
        yield places_freed(since)

    def count_now(self, *, at: datetime) -> Iterator[tuple[Promise, int]]:
        taken = Activity.objects.coming(at=at).order_by().aggregate(total=Sum("places_taken"))["total"]
        yield gettext_lazy("Places taken"), taken or 0

    def story(self, subject: Subject, *, at: datetime) -> Iterator[Moment]:
        """Who registered for what, whether a place was held, and whether the day has come."""
        for row in registrations_of(subject):
            yield from told_by_registration(row, at=at)

    def holdings(self, subject: Subject, *, at: datetime) -> Iterator[Holding]:
        """Every registration of theirs, those that ended unpaid too."""
        for row in registrations_of(subject):
            yield Holding(
                row, row.activity.title, row.status_text, row.holds_place, row.order.number,
                row.activity.starts_at,
            )  # fmt: skip

    def told_change(self, field: str, before: str, after: str) -> str:
        return str(PLACE_CHANGES.get(after, "")) if field == PLACE else ""

    def find(self, text: str) -> Iterator[Lead]:
        """By the address, which may have been corrected since; ids and old ids are names of their orders."""
        rows = Registration.objects.filter(email=text.lower()).order_by("-pk") if "@" in text else ()
        return (Lead(row, order_id=row.order_id) for row in rows[:MAX_LINES])

    def people(self, name: str) -> Iterable[Registration]:
        """Guests too, who have neither an account nor a customer."""
        return Registration.objects.filter(name__icontains=name)[:MAX_LINES]

    def diagnose(self, records: Records) -> Iterator[Finding]:
        """Whether who has paid has a place, and why others have none."""
        return findings_about(records)


def _status_of(row: Registration, order: Order) -> str:
    return RegistrationStatus.CANCELED if row.given_up_at else status_for(order)


def _is_leaving(row: Registration, order: Order) -> bool:
    return row.given_up_at is not None or keeps_no_place(order)


def _move_places(
    rows: Sequence[Registration], orders: dict[int, Order], *, seeking: Sequence[Registration]
) -> list[Registration]:
    """Who must leave, who asks for a place; nobody else's place is touched. Returns who had waited and is seated."""
    leaving = [row for row in rows if row.holds_place and _is_leaving(row, orders[row.order_id])]
    for row in rows:
        row.waits_since = None
    for row in seeking:
        row.waits_since = orders[row.order_id].paid_at
    return move_places(leaving=leaving, coming=seeking) if leaving or seeking else []


def _hold_as_long_as_one_can_pay(rows: Iterable[Registration], orders: Mapping[int, Order]) -> None:
    """The date that everybody is told: none while money is under way or here; after a failure, that of the clean-up."""
    holding = [row for row in rows if row.holds_place]
    for row in holding:
        if orders[row.order_id].status in (OrderStatus.PROCESSING, OrderStatus.PAID):
            row.held_until = None
    failed = [row for row in holding if orders[row.order_id].status == OrderStatus.FAILED]
    dates = due_dates([row.order_id for row in failed]) if failed else {}
    for row in failed:
        row.held_until = dates[row.order_id]


def _write(rows: Iterable[Registration], before: dict[int, dict[str, Any]]) -> None:
    """Two statements at most: who leaves goes first, so that the same person may take the place with another order."""
    moved = [row for row in rows if before.get(row.pk) != _state(row)]
    for holds in (False, True):
        values = [{"id": row.pk, **_state(row)} for row in moved if row.holds_place is holds]
        update_rows(Registration, values)
    for row in moved:
        registration, status, place = str(row.public_id), row.status, row.holds_place
        log.info("registration.changed", registration=registration, order=row.order_id, status=status, place=place)


def _state(row: Registration) -> dict[str, Any]:
    return {name: getattr(row, name) for name in FOLLOWED_FIELDS}


def _outcome(
    rows: Sequence[Registration],
    orders: dict[int, Order],
    promoted: Sequence[Registration],
    before: dict[int, dict[str, Any]],
) -> FollowResult:
    outcome = FollowResult()
    others = {row.order_id for row in promoted} - orders.keys()
    all_orders = {**(Order.objects.in_bulk(others) if others else {}), **orders}
    for row in [*rows, *promoted]:
        order = all_orders[row.order_id]
        if message := message_for(row, order):
            outcome.effects.append(message)
        outcome.questions.append(_place_question(row, order))
        outcome.changes += _place_change(row, held=before.get(row.pk, {"holds_place": False})["holds_place"])
    return outcome


def _place_question(row: Registration, order: Order) -> Question:
    detail = f"{row.name} <{row.email}>"
    return Question(
        ExceptionKind.NO_PLACE, f"order:{order.public_id}", order.pk, paid_without_place(row, order), detail
    )


def _place_change(row: Registration, *, held: bool) -> list[ProductChange]:
    if held == row.holds_place:
        return []
    labels = {True: "held", False: "free"}
    return [ProductChange(row.order_id, PLACE, labels[held], labels[row.holds_place])]


def _line(row: Registration, *, at: datetime) -> Line:
    tint, label = LABELS[display_state_of(row, at=at)]
    return Line(row, tint, label, page=page_path(row), receipt=receipt_path(row))


register(RegistrationProduct())
