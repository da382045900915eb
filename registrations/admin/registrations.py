"""The registrations' screen: who has a place, who waits, who has paid; freeing a place and writing once more."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.fields import AddressField
from accounts.menu import Job
from accounts.personal import people_called, shown_name
from payments.admin.kit.actions import Confirmation, ReasonForm, confirmed_action
from payments.admin.kit.display import CARE, NONE, OFF, STATE_TINTS, diagnosis_links, link_to_order, pill, tells_of
from payments.admin.kit.screens import ReadOnlyAdmin
from payments.admin.search import key_of_order
from payments.names import read_number, read_uuid
from registrations.models import Registration
from registrations.services.staff_actions import correct_address, free_place, resend_message

# Stripe is asked about each, and somebody waits for the page.
PLACES_FREED_AT_ONCE = 20
MESSAGES_SENT_AT_ONCE = 200
# Also a row that the list hides can be chosen from its own page.
SHOW_ENDED = "?ended=shown"


def _free_consequences(_rows: QuerySet) -> list[str]:
    return [
        _("The order is closed, and its open payment page is ended at Stripe: nobody can pay there any more."),
        _("The place goes to whoever paid and waits, then to the waiting list. The person is told."),
        _("A confirmed place in a free activity is given up for good; the person may register again."),
        _("A place that is paid for is not freed: refund the order, and the place is free."),
        _("At most %(count)d places are freed at once.") % {"count": PLACES_FREED_AT_ONCE},
    ]


def _freed_text(count: int) -> str:
    return ngettext("%(count)d place is free.", "%(count)d places are free.", count) % {"count": count}


@confirmed_action(
    description=gettext_lazy("Free the place…"), query=SHOW_ENDED,
    permission="registrations.free_place", applies_to=lambda row: row.holds_place,
    title=gettext_lazy("Free these places?"), button=gettext_lazy("Free now"), consequences=_free_consequences,
    done=_freed_text, limit=PLACES_FREED_AT_ONCE, in_transaction=False,
)  # fmt: skip
def free_action(row: Registration, confirmation: Confirmation) -> None:
    """Frees a place for which no money is here."""
    free_place(registration=row, reason=confirmation.reason, by=confirmation.by, at=confirmation.at)


def _resend_consequences(_rows: QuerySet) -> list[str]:
    return [
        _("Each person gets the e-mail about where their registration stands now, whatever was sent before."),
        _("Nothing else changes."),
        _("At most %(count)d messages are sent at once.") % {"count": MESSAGES_SENT_AT_ONCE},
    ]


def _sent_text(count: int) -> str:
    done = ngettext("%(count)d message is on its way.", "%(count)d messages are on their way.", count)
    return done % {"count": count}


@confirmed_action(
    description=gettext_lazy("Resend the confirmation…"),
    query=SHOW_ENDED, permission="registrations.resend_message",
    title=gettext_lazy("Resend the confirmation?"), button=gettext_lazy("Send now"), consequences=_resend_consequences,
    done=_sent_text, limit=MESSAGES_SENT_AT_ONCE, in_transaction=False,
)  # fmt: skip
def resend_action(row: Registration, confirmation: Confirmation) -> None:
    """Sends the mail about the present state once more."""
    resend_message(registration=row, reason=confirmation.reason, by=confirmation.by, at=confirmation.at)


class CorrectionForm(ReasonForm):
    """The right address, and why it is another one."""

    field_order = ("email", "reason")
    email = AddressField(label=gettext_lazy("Right e-mail address"))


@confirmed_action(
    description=gettext_lazy("Correct the address…"), query=SHOW_ENDED, permission="registrations.correct_address",
    only_one=gettext_lazy("Addresses are corrected one at a time: choose one."), form=CorrectionForm,
    title=gettext_lazy("Correct this address?"), button=gettext_lazy("Correct now"), done=gettext_lazy("corrected."),
    consequences=(
        gettext_lazy("Every e-mail about this registration goes to the new address from now on."),
        gettext_lazy("Nothing is sent by that: what was not delivered can be sent again from its question."),
    ),
)  # fmt: skip
def address_action(row: Registration, confirmation: Confirmation) -> None:
    """Writes to the person under another address from now on."""
    correct_address(
        registration=row, email=confirmation.fields["email"], reason=confirmation.reason, by=confirmation.by,
        at=confirmation.at,
    )  # fmt: skip


class EndedFilter(admin.SimpleListFilter):
    """Registrations that ended unpaid are kept as evidence and stay out of sight until one asks for them."""

    title = gettext_lazy("expired or canceled")
    parameter_name = "ended"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("shown", gettext_lazy("Shown"))]

    def choices(self, changelist: Any) -> Any:
        hidden, *others = super().choices(changelist)
        yield {**hidden, "display": gettext_lazy("Hidden")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset if self.value() else queryset.live()


@admin.register(Registration)
class RegistrationAdmin(ReadOnlyAdmin):
    """Nobody edits or deletes a row: what can be done with it has a button and a right of its own."""

    job, position = Job.REGISTRATIONS, 0
    actions = (free_action, resend_action, address_action)
    list_display = (
        "person", "email", "activity", "state", "place", "payment_short", "order_link", "created_at",
    )  # fmt: skip
    list_filter = (EndedFilter, "status", ("waits_since", admin.EmptyFieldListFilter))
    list_select_related = ("activity", "order")
    ordering = ("-pk",)
    search_fields = ("email__exact", "external_id__exact")
    search_help_text = gettext_lazy(
        "Part of the name or of the e-mail address, order number, id of the registration or in the old system."
    )
    fields = (
        ("person", "email", "email_state"), ("activity", "state"),
        ("holds_place", "held_until", "waits_since", "given_up_at"),
        ("order_link", "payment"), "user", ("public_id", "external_id"), ("language", "created_at"),
    )  # fmt: skip
    readonly_fields = ("person", "order_link", "payment", "state")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("order__payments")

    def search_condition(self, term: str) -> Q | None:
        if number := read_number(term, prefix="O"):
            return Q(order_id=number)
        if own := read_uuid(term):
            order = key_of_order(term)
            return Q(public_id=own) | Q(order=order) if order else Q(public_id=own)
        return people_called(term) | Q(external_id=term) if term else None

    def named(self, term: str) -> Q | None:
        own = read_uuid(term)
        return Q(external_id=term) | Q(public_id=own) if own else Q(external_id=term)

    def found(self, term: str) -> Q | None:
        return self.search_condition(term) or (Q(email=term.lower()) if "@" in term else Q(external_id=term))

    def row_links(self, request: HttpRequest, row: Registration) -> list[tuple[str, str]]:
        return diagnosis_links(request, row.order.number)

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def person(self, row: Registration) -> str:
        return shown_name(row.name)

    @admin.display(description=gettext_lazy("state"), ordering="status")
    def state(self, row: Registration) -> str:
        return pill(row.status_text, STATE_TINTS.get(row.status, OFF))

    @tells_of("payments.order", description=gettext_lazy("order"), ordering="order")
    def order_link(self, row: Registration) -> str:
        return link_to_order(row.order)

    @admin.display(description=gettext_lazy("place"), ordering="held_until")
    def place(self, row: Registration) -> str:
        """Whether there is one, and for how long if it is not for good."""
        if row.waits_since:
            return pill(_("waits for one"), CARE)
        if not row.holds_place:
            return NONE
        return _("held until %(moment)s") % {"moment": _moment(row.held_until)} if row.held_until else _("yes")

    @tells_of("payments.order", description=gettext_lazy("payment"), ordering="order__amount")
    def payment_short(self, row: Registration) -> str:
        """In a list, where the state stands beside it."""
        return self._payment_text(row, row.order.price)

    @tells_of("payments.order", description=gettext_lazy("payment"), ordering="order__status")
    def payment(self, row: Registration) -> str:
        return self._payment_text(row, row.order.price, str(row.order.get_status_display()))

    @staticmethod
    def _payment_text(row: Registration, *words: str) -> str:
        """What was asked for, where it stands, what a bank says of it, and what came where that is something else."""
        order, told = row.order, list(words)
        if order.dispute_state:
            told.append(str(order.get_dispute_state_display()))
        if order.has_unfitting_money:
            told.append(_("%(money)s is here") % {"money": order.here_text})
        return " · ".join(told)


def _moment(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")
