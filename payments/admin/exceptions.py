"""The exception desk: what needs a person, above all money, and the ways in which a person can settle it."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.hooks import Ending
from accounts.menu import Job
from payments.admin.kit.actions import ROWS_LISTED, Confirmation, confirmed_action
from payments.admin.kit.display import CARE, NONE, OFF, link_to, link_to_order, pill, tells_of
from payments.admin.kit.screens import ReadOnlyAdmin
from payments.admin.refunds import sum_text
from payments.admin.subscription_actions import SETTLE, cancel_subscription, give_back
from payments.effects.models import Effect
from payments.names import REFUND_KIND
from payments.orders.models import OrderException
from payments.refunds.again import find_debt, refund_again, send_again
from payments.refunds.refund import Refundable
from payments.refunds.staff_refunds import (
    concerns,
    dismiss,
    give_place,
    owner_name,
    owner_of,
    preview_refund,
    refund_exception,
)
from payments.statuses import ABOUT_NO_MONEY, EffectStatus, ExceptionKind
from payments.subscribing.ending import end_in_question

# Whoever has waited longest comes first.
oldest_first = partial(confirmed_action, order=("opened_at", "pk"), previews=True)
# What has a button of its own, or is about no money.
SETTLED_OTHERWISE = (*ABOUT_NO_MONEY, ExceptionKind.REFUND_OWED)


def _refund_consequences(questions: QuerySet) -> list[str]:
    return [*map(_refund_sentence, questions[:ROWS_LISTED]), _("A question closes when Stripe says so.")]


def _refund_sentence(question: OrderException) -> str:
    """What goes back to settle one question."""
    owner = owner_of(question)
    if owner is None:
        return _("%(question)s: no order belongs to it, so it can only be refunded at Stripe.") % {"question": question}
    left = [each for each in preview_refund(owner)[1] if concerns(question, each)]
    values = {"order": owner_name(owner), "amount": sum_text(left), "kind": question.get_kind_display()}
    if not left:
        return _("%(order)s, %(kind)s: nothing is left to refund.") % values
    return _("%(order)s, %(kind)s: %(amount)s goes back the way it came.") % values


@oldest_first(
    description=gettext_lazy("Refund the money in question…"), label=gettext_lazy("Refund…"),
    permission="payments.add_refund",
    applies_to=lambda question: question.is_open and owner_of(question) and question.kind not in SETTLED_OTHERWISE,
    title=gettext_lazy("Refund this money?"), button=gettext_lazy("Refund now"), consequences=_refund_consequences,
    done=gettext_lazy("asked for. What becomes of it stands at the order."),
)  # fmt: skip
def refund(question: OrderException, confirmation: Confirmation) -> None:
    """All of the payment that the question is about; of who has no place all that was paid."""
    refund_exception(
        exception=question, reason=confirmation.reason, by=confirmation.by.get_username(), at=confirmation.at
    )


def _debt_sentences(questions: QuerySet) -> list[str]:
    once = _(
        "Stripe is asked once more, at once, and gives back this much and no more; the question closes when it has."
    )
    return [*map(_debt_sentence, questions[:ROWS_LISTED]), once]


def _debt_sentence(question: OrderException) -> str:
    """What is owed, and why it has not gone back."""
    return question.detail_text if find_debt(question) else _("Nothing of this is owed any more.")


@oldest_first(
    description=gettext_lazy("Refund again…"), permission="payments.add_refund",
    applies_to=lambda question: question.is_open and question.kind == ExceptionKind.REFUND_OWED,
    title=gettext_lazy("Try these refunds again?"), button=gettext_lazy("Refund again now"),
    consequences=_debt_sentences, done=gettext_lazy("asked for. What becomes of it stands at the order."),
)  # fmt: skip
def refund_once_more(question: OrderException, confirmation: Confirmation) -> None:
    """What was promised and has not gone back."""
    refund_again(exception=question, reason=confirmation.reason, by=confirmation.by.get_username(), at=confirmation.at)


@oldest_first(
    description=gettext_lazy("Send again…"), permission=SETTLE,
    applies_to=lambda question: question.is_open and question.kind == ExceptionKind.NOT_DELIVERED,
    title=gettext_lazy("Send these again?"), button=gettext_lazy("Send again now"),
    done=gettext_lazy("on the way. The question closes when it is delivered."),
    consequences=(
        gettext_lazy("It goes to the address that is known now: correct that first where it was wrong."),
        gettext_lazy("What may have been sent already is then there twice."),
        gettext_lazy("Where there is nothing to tell any more nothing is sent, and the question closes."),
    ),
)  # fmt: skip
def send_once_more(question: OrderException, confirmation: Confirmation) -> None:
    """A message, or what Stripe was to be told."""
    send_again(exception=question, reason=confirmation.reason, by=confirmation.by.get_username(), at=confirmation.at)


def _end_action(ending: Ending, *, description: Any, button: Any) -> Any:
    """A button that ends the subscription in question, in one of two ways."""

    def end(question: OrderException, confirmation: Confirmation) -> None:
        end_in_question(
            exception=question, ending=ending, reason=confirmation.reason, by=confirmation.by.get_username(),
            at=confirmation.at,
        )  # fmt: skip

    end.__name__ = f"end_{ending}"
    return oldest_first(
        description=description, permission=SETTLE, title=gettext_lazy("End these subscriptions?"), button=button,
        applies_to=lambda question: question.is_open and question.kind == ExceptionKind.ACCOUNT_CLOSED,
        done=gettext_lazy("asked of Stripe. The question closes when it is done."),
        consequences=(
            gettext_lazy("Stripe is asked to end it; no money goes back by that."),
            gettext_lazy("What the subscription gave ends with it."),
        ),
    )(end)  # fmt: skip


end_now = _end_action(Ending.NOW, description=gettext_lazy("End now…"), button=gettext_lazy("End now"))
end_with_period = _end_action(
    Ending.PERIOD, description=gettext_lazy("End with the period…"), button=gettext_lazy("End with the period")
)


@oldest_first(
    description=gettext_lazy("Give a place…"), permission=SETTLE,
    applies_to=lambda question: question.is_open and question.kind == ExceptionKind.NO_PLACE,
    title=gettext_lazy("Give these people a place?"), button=gettext_lazy("Give a place now"),
    done=gettext_lazy("given a place."),
    consequences=(
        gettext_lazy("Whoever paid first gets a place, as far as places are free; the question closes."),
        gettext_lazy("The buyer gets the confirmation by e-mail."),
        gettext_lazy("A refund that was given up is withdrawn; while one is under way nobody gets a place as well."),
    ),
)  # fmt: skip
def seat(question: OrderException, confirmation: Confirmation) -> None:
    """Who paid without a place gets the one that is free."""
    give_place(exception=question, reason=confirmation.reason, by=confirmation.by.get_username(), at=confirmation.at)


@oldest_first(
    description=gettext_lazy("Dismiss…"), permission=SETTLE,
    applies_to=lambda question: question.is_open,
    title=gettext_lazy("Dismiss these questions?"), button=gettext_lazy("Dismiss now"), done=gettext_lazy("dismissed."),
    consequences=(
        gettext_lazy("The question closes for good and is kept with your name and reason."),
        gettext_lazy("No money moves, and nobody is written to."),
    ),
)  # fmt: skip
def close(question: OrderException, confirmation: Confirmation) -> None:
    """Nothing needs to be done."""
    dismiss(exception=question, reason=confirmation.reason, by=confirmation.by, at=confirmation.at)


@admin.register(OrderException)
class OrderExceptionAdmin(ReadOnlyAdmin):
    """The oldest open question first; nothing is deleted, what was settled stays as history."""

    job, position = Job.TODO, 1
    actions = (
        refund, refund_once_more, send_once_more, end_now, end_with_period, cancel_subscription, give_back, seat, close,
    )  # fmt: skip
    list_display = (
        "kind", "owner_link", "money_text", "detail_text", "open_text", "age_text", "refund_text", "closed_because",
        "subject",
    )  # fmt: skip
    list_filter = ("is_open", "kind")
    list_select_related = ("order", "subscription__customer")
    ordering = ("-is_open", "opened_at")
    search_fields = ("subject__exact",)
    fields = (
        ("kind", "open_text"), ("owner_link", "money_text"), "subject", "detail_text", ("opened_at", "refund_text"),
        ("closed_at", "closed_by"), "closed_because",
    )  # fmt: skip
    readonly_fields = ("owner_link", "money_text", "detail_text", "open_text", "refund_text", "closed_because")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        refunds = Effect.objects.filter(kind=REFUND_KIND).order_by("-pk").values("status")
        of_order = Subquery(refunds.filter(order=OuterRef("order"))[:1])
        of_subscription = Subquery(refunds.filter(subscription=OuterRef("subscription"))[:1])
        rows = super().get_queryset(request).prefetch_related("order__payments", "subscription__payments")
        return rows.annotate(refund=Coalesce(of_subscription, of_order))

    def waiting_rows(self, request: HttpRequest) -> QuerySet:
        return OrderException.objects.filter(is_open=True)

    @tells_of("payments.order", description=gettext_lazy("order or subscription"), ordering="order")
    def owner_link(self, row: OrderException) -> str:
        if row.subscription:
            person = row.subscription.customer
            return format_html("{} {}", link_to(row.subscription), link_to(person) if person else "")
        return link_to_order(row.order)

    @tells_of("payments.order", description=gettext_lazy("money here"))
    def money_text(self, row: OrderException) -> str:
        """What was neither given back nor lost: of the order, or of a subscription’s payments in question."""
        if row.subscription:
            own = [
                each
                for each in row.subscription.payments.all()
                if row.subject in (each.key, row.subscription.stripe_id)
            ]
            return sum_text(Refundable(each, each.here) for each in own) or NONE
        return row.order.here_text if row.order else NONE

    @admin.display(description=gettext_lazy("detail"))
    def detail_text(self, row: OrderException) -> str:
        return row.detail_text

    @admin.display(description=gettext_lazy("state"), ordering="is_open")
    def open_text(self, row: OrderException) -> str:
        """A word: a green tick would say that all is well."""
        return pill(_("open"), CARE) if row.is_open else pill(_("closed"), OFF)

    @admin.display(description=gettext_lazy("age"), ordering="opened_at")
    def age_text(self, row: OrderException) -> str:
        return timesince(row.opened_at, row.closed_at)

    @tells_of("payments.order", description=gettext_lazy("refund"))
    def refund_text(self, row: Any) -> str:
        """Where the last refund of the order stands, asked for by a person or by the activity's policy."""
        return str(EffectStatus(row.refund).label) if row.refund else NONE

    @admin.display(description=gettext_lazy("closed because"), ordering="closed_reason")
    def closed_because(self, row: OrderException) -> str:
        """In the words of whoever decided; what closed by itself says so in the reader's language."""
        return _(row.closed_reason) if row.closed_reason else ""
