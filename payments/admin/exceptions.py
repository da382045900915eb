"""The exception desk: money that needs a person, and the three ways in which a person can settle it."""

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

from payments.admin.kit.actions import ROWS_LISTED, Confirmation, confirmed_action
from payments.admin.kit.display import NONE, link_to, link_to_order
from payments.admin.kit.screens import ReadOnlyAdmin
from payments.admin.refunds import sum_text
from payments.admin.subscription_actions import SETTLE, cancel_subscription, give_back
from payments.effects.models import Effect
from payments.money import format_amount
from payments.orders.models import OrderException
from payments.refunds.refund import REFUND_KIND, Refundable
from payments.refunds.staff_refunds import (
    concerns,
    dismiss,
    give_place,
    owner_name,
    owner_of,
    preview_refund,
    refund_exception,
)
from payments.statuses import EffectStatus, ExceptionKind

# Whoever has waited longest comes first.
oldest_first = partial(confirmed_action, order=("opened_at", "pk"))


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
    permission="payments.add_refund", applies_to=lambda question: question.is_open and owner_of(question),
    title=gettext_lazy("Refund this money?"), button=gettext_lazy("Refund now"), consequences=_refund_consequences,
    done=gettext_lazy("asked for. What becomes of it stands at the order."),
)  # fmt: skip
def refund(question: OrderException, confirmation: Confirmation) -> None:
    """All of the payment that the question is about; of who has no place all that was paid."""
    refund_exception(
        exception=question, reason=confirmation.reason, by=confirmation.by.get_username(), at=confirmation.at
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

    actions = (refund, cancel_subscription, give_back, seat, close)
    list_display = (
        "kind", "owner_link", "money_text", "detail_text", "is_open", "age_text", "refund_text", "closed_because",
        "subject",
    )  # fmt: skip
    list_filter = ("is_open", "kind")
    list_select_related = ("order", "subscription__customer")
    ordering = ("-is_open", "opened_at")
    search_fields = ("subject__exact",)
    fields = (
        ("kind", "is_open"), ("owner_link", "money_text"), "subject", "detail_text", ("opened_at", "refund_text"),
        ("closed_at", "closed_by"), "closed_because",
    )  # fmt: skip
    readonly_fields = ("owner_link", "money_text", "detail_text", "refund_text", "closed_because")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        refunds = Effect.objects.filter(kind=REFUND_KIND).order_by("-pk").values("status")
        of_order = Subquery(refunds.filter(order=OuterRef("order"))[:1])
        of_subscription = Subquery(refunds.filter(subscription=OuterRef("subscription"))[:1])
        rows = super().get_queryset(request).prefetch_related("subscription__payments")
        return rows.annotate(refund=Coalesce(of_subscription, of_order))

    @admin.display(description=gettext_lazy("order or subscription"), ordering="order")
    def owner_link(self, row: OrderException) -> str:
        if row.subscription:
            person = row.subscription.customer
            return format_html("{} {}", link_to(row.subscription), link_to(person) if person else "")
        return link_to_order(row.order)

    @admin.display(description=gettext_lazy("money here"))
    def money_text(self, row: OrderException) -> str:
        """What was received and not given back: by the order, or by the payments of a subscription in question."""
        if row.subscription:
            own = [
                each
                for each in row.subscription.payments.all()
                if row.subject in (each.key, row.subscription.stripe_id)
            ]
            return sum_text(Refundable(each, each.left) for each in own) or NONE
        if row.order is None:
            return NONE
        return format_amount(row.order.amount_received - row.order.amount_refunded, row.order.currency)

    @admin.display(description=gettext_lazy("detail"))
    def detail_text(self, row: OrderException) -> str:
        return row.detail_text

    @admin.display(description=gettext_lazy("age"), ordering="opened_at")
    def age_text(self, row: OrderException) -> str:
        return timesince(row.opened_at, row.closed_at)

    @admin.display(description=gettext_lazy("refund"))
    def refund_text(self, row: Any) -> str:
        """Where the last refund of the order stands, asked for by a person or by the activity's policy."""
        return str(EffectStatus(row.refund).label) if row.refund else NONE

    @admin.display(description=gettext_lazy("closed because"), ordering="closed_reason")
    def closed_because(self, row: OrderException) -> str:
        """In the words of whoever decided; what closed by itself says so in the reader's language."""
        return _(row.closed_reason) if row.closed_reason else ""
