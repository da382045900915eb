"""The registrations' screen: who has a place, who waits, who has paid; freeing a place and writing once more."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.menu import Job
from payments.admin.kit.actions import Confirmation, ReasonForm, confirmed_action
from payments.admin.kit.display import OFF, STATE_TINTS, link_to_order, pill, tells_of
from payments.admin.kit.screens import ReadOnlyAdmin
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
    permission="registrations.delete_registration", applies_to=lambda row: row.holds_place,
    title=gettext_lazy("Free these places?"), button=gettext_lazy("Free now"), consequences=_free_consequences,
    done=_freed_text, limit=PLACES_FREED_AT_ONCE, in_transaction=False,
)  # fmt: skip
def free_action(row: Registration, confirmation: Confirmation) -> None:
    """Frees a place for which no money is here."""
    free_place(registration=row, reason=confirmation.reason, by=confirmation.by, at=confirmation.at)


def _resend_consequences(_rows: QuerySet) -> list[str]:
    return [
        _("Each person gets the e-mail about where their registration stands now, whatever was sent before."),
        _("Nothing else changes: no place, no money."),
        _("At most %(count)d messages are sent at once.") % {"count": MESSAGES_SENT_AT_ONCE},
    ]


def _sent_text(count: int) -> str:
    done = ngettext("%(count)d message is on its way.", "%(count)d messages are on their way.", count)
    return done % {"count": count}


@confirmed_action(
    description=gettext_lazy("Send the message again…"),
    query=SHOW_ENDED, permission="registrations.change_registration",
    title=gettext_lazy("Send the message again?"), button=gettext_lazy("Send now"), consequences=_resend_consequences,
    done=_sent_text, limit=MESSAGES_SENT_AT_ONCE, in_transaction=False,
)  # fmt: skip
def resend_action(row: Registration, confirmation: Confirmation) -> None:
    """Sends the mail about the present state once more."""
    resend_message(registration=row, reason=confirmation.reason, by=confirmation.by, at=confirmation.at)


class CorrectionForm(ReasonForm):
    """The right address, and why it is another one."""

    field_order = ("email", "reason")
    email = forms.EmailField(label=gettext_lazy("Right e-mail address"))


@confirmed_action(
    description=gettext_lazy("Correct the address…"), query=SHOW_ENDED, permission="registrations.change_registration",
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

    title = gettext_lazy("ended without payment")
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
    """Nobody edits or deletes a row: the right to delete frees a place, the right to change writes once more."""

    job, position = Job.REGISTRATIONS, 0
    actions = (free_action, resend_action, address_action)
    list_display = (
        "name", "email", "activity", "state", "holds_place", "held_until", "payment", "order_link", "created_at",
    )  # fmt: skip
    list_filter = (EndedFilter, "status", "holds_place", ("waits_since", admin.EmptyFieldListFilter))
    list_select_related = ("activity", "order")
    ordering = ("-created_at",)
    search_fields = ("email__exact", "external_id__exact")
    search_help_text = gettext_lazy("Whole e-mail address, order number, id of the registration or in the old system.")
    fields = (
        ("name", "email", "email_state"), ("activity", "state"),
        ("holds_place", "held_until", "waits_since", "given_up_at"),
        ("order_link", "payment"), "user", ("public_id", "external_id"), ("language", "created_at"),
    )  # fmt: skip
    readonly_fields = ("order_link", "payment", "state")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("order__payments")

    def search_condition(self, term: str) -> Q | None:
        if number := read_number(term, prefix="O"):
            return Q(order_id=number)
        own = read_uuid(term)
        return Q(public_id=own) | Q(order__public_id=own) if own else None

    def named(self, term: str) -> Q | None:
        own = read_uuid(term)
        return Q(external_id=term) | Q(public_id=own) if own else Q(external_id=term)

    def found(self, term: str) -> Q | None:
        return self.search_condition(term) or (Q(email=term.lower()) if "@" in term else Q(external_id=term))

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def state(self, row: Registration) -> str:
        return pill(row.status_text, STATE_TINTS.get(row.status, OFF))

    @tells_of("payments.order", description=gettext_lazy("order"), ordering="order")
    def order_link(self, row: Registration) -> str:
        return link_to_order(row.order)

    @tells_of("payments.order", description=gettext_lazy("payment"), ordering="order__status")
    def payment(self, row: Registration) -> str:
        """What was asked for, where it stands, what a bank says of it, and what came where that is something else."""
        order = row.order
        told = [order.price, order.get_status_display()]
        if order.dispute_state:
            told.append(order.get_dispute_state_display())
        if order.has_unfitting_money:
            told.append(_("%(money)s is here") % {"money": order.here_text})
        return " · ".join(map(str, told))
