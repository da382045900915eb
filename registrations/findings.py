"""What the diagnosis (payments.diagnosis) says of registrations: a place that is held, gone, given up, called off."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from accounts.personal import shown_name
from payments.diagnosis import Finding, Records, Remedy, Severity, moment
from payments.orders.models import Order
from payments.statuses import CLOSED_STATUSES, ExceptionKind
from registrations.models import ORDER_KIND, Registration
from registrations.story import registrations_of


def findings_about(records: Records) -> Iterator[Finding]:
    """One query where one of the orders pays a registration."""
    orders = {order.pk: order for order in records.orders if order.kind == ORDER_KIND}
    for row in reversed(registrations_of(records.subject)):
        order = orders[row.order_id]
        for code, severity, sentence, remedy in _about_place(row, order, records):
            values = {"person": shown_name(row.name), "activity": row.activity.title, "moment": moment(row.held_until)}
            yield Finding(
                sentence % values, order, [row, row.activity], remedy, f"registration.{code}", severity
            )  # fmt: skip
        if row.is_unconfirmed:
            told = _("%(person)s has not opened the link sent by e-mail: until then the registration does not count.")
            yield Finding(
                told % {"person": shown_name(row.name)}, order, [row], None, "registration.unconfirmed", Severity.NOTE
            )  # fmt: skip


def _about_place(
    row: Registration, order: Order, records: Records
) -> Iterator[tuple[str, Severity, str, Remedy | None]]:
    """Whether a place is held, and why not."""
    if row.activity.called_off_at:
        yield "called_off", Severity.NOTE, _("“%(activity)s” was called off."), None
    elif row.given_up_at:
        yield "given_up", Severity.NOTE, _("%(person)s has given up the place in “%(activity)s”."), None
    elif row.holds_place and order.has_money:
        yield "place", Severity.FINE, _("%(person)s has a place in “%(activity)s”."), None
    elif row.holds_place and row.held_until:
        yield "held", Severity.NOTE, _("A place in “%(activity)s” is held for %(person)s (until %(moment)s)."), None
    elif order.has_money and not _is_asked(order, records):
        remedy = Remedy(_("Compare the places with the registrations."), command="manage.py check_places")
        yield "no_place", Severity.PROBLEM, _("%(person)s has paid and has no place in “%(activity)s”."), remedy
    elif order.status in CLOSED_STATUSES:
        yield "place_gone", Severity.NOTE, _("No place in “%(activity)s” is held for %(person)s any more."), None


def _is_asked(order: Order, records: Records) -> bool:
    """Whether the exception desk says so already."""
    return any(each.kind == ExceptionKind.NO_PLACE for each in records.of(order, records.questions))
