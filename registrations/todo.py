"""What of registrations needs a person: who paid and has no place; and how many places were freed by themselves."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from payments.money import format_amount
from payments.orders.models import OrderChange, OrderException
from payments.statuses import ExceptionKind
from payments.todo import Done, Source, TodoItem
from payments.todo.questions import SOME_MONEY, at_stake
from registrations.models import Activity, Registration


def _open_questions(at: datetime) -> QuerySet[OrderException]:
    rows = OrderException.objects.filter(kind=ExceptionKind.NO_PLACE, is_open=True).order_by("opened_at", "pk")
    return rows.select_related("order__registration__activity")


def _tell(rows: Sequence[OrderException], *, at: datetime) -> Iterator[TodoItem]:
    for row in rows:
        registration: Registration | None = getattr(row.order, "registration", None)
        amount, currency = at_stake(row) or (0, "")
        paid = format_amount(amount, currency) if amount else SOME_MONEY
        activity = registration.activity if registration else None
        sentence, acts = _situation(activity, at=at)
        what = activity.title if activity else row.order.label if row.order else row.subject
        places = activity.capacity if activity else 0
        told = sentence % {"paid": paid, "what": what, "places": places}
        yield TodoItem(told, row.opened_at, row, amount, currency, acts=(*acts, "refund", "seat", "close"))


def _situation(activity: Activity | None, *, at: datetime) -> tuple[str, tuple[str, ...]]:
    """What stands in the way of a place, and what to do first."""
    if activity is None:
        return _("%(paid)s paid for %(what)s, without a place"), ()
    if activity.called_off_at:
        return _("%(paid)s paid for %(what)s, which was called off — refund it"), ("refund",)
    if activity.starts_at <= at:
        return _("%(paid)s paid for %(what)s, which is over, without a place — refund it"), ("refund",)
    if activity.places_left > 0:
        return _("%(paid)s paid for %(what)s without a place, although one is free — give it, or refund"), ("seat",)
    full = ngettext(
        "%(paid)s paid for %(what)s, but its %(places)s place is taken — refund it, or add a place",
        "%(paid)s paid for %(what)s, but all %(places)s places are taken — refund it, or add a place",
        activity.capacity,
    )  # fmt: skip
    return full, ("refund",)


PAID_WITHOUT_PLACE = Source(
    "paid_without_place", title=gettext_lazy("Paid, waiting for a place"), rows=_open_questions, tell=_tell,
    tells_of=("payments.orderexception", "payments.order", "registrations.activity"),
    listed_at=("admin:payments_orderexception_changelist", f"is_open__exact=1&kind__exact={ExceptionKind.NO_PLACE}"),
    claims=frozenset({ExceptionKind.NO_PLACE}),
)  # fmt: skip


def places_freed(since: datetime) -> Done:
    """Whatever freed them: a payment that never came, a refund, a lost dispute."""
    return Done(
        OrderChange.objects.filter(field="place", before="held", after="free", learned_at__gte=since),
        lambda n: ngettext("%(n)d place freed", "%(n)d places freed", n) % {"n": n},
        "registrations.registration",
    )
