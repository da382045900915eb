"""The exception desk: each question in a sentence, what it is about, and the ways in which a person can settle it."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.menu import Job
from payments.admin.exception_actions import (
    accept_money,
    close,
    end_now,
    end_with_period,
    link,
    refund,
    refund_once_more,
    seat,
    send_once_more,
)
from payments.admin.kit.display import NONE, amount, link_to, link_to_order, open_pill, page_of, tells_of
from payments.admin.kit.screens import ReadOnlyAdmin, may_see
from payments.admin.refunds import sum_text
from payments.admin.subscription_actions import cancel_subscription, give_back
from payments.billing.models import Payment
from payments.effects.models import Effect
from payments.names import REFUND_KIND
from payments.orders.models import OrderException
from payments.payouts.models import Payout
from payments.refunds.refund import Refundable
from payments.statuses import EffectStatus, ExceptionKind
from payments.todo.money import is_of_sample
from payments.todo.questions import sentence_of


@admin.register(OrderException)
class OrderExceptionAdmin(ReadOnlyAdmin):
    """The oldest open question first; nothing is deleted, what was settled stays as history."""

    job, position = Job.TODO, 1
    actions = (
        refund, refund_once_more, accept_money, link, seat, send_once_more, end_now, end_with_period,
        cancel_subscription, give_back, close,
    )  # fmt: skip
    list_display = (
        "question_text", "owner_link", "money_text", "open_text", "age_text", "refund_text", "closed_because",
    )  # fmt: skip
    list_filter = ("is_open", "kind")
    list_select_related = ("order", "subscription__customer", "subscription__plan")
    ordering = ("-is_open", "opened_at")
    search_fields = ("subject__exact",)
    fields = (
        ("kind", "open_text"), ("owner_link", "money_text"), "subject", "detail_text", "sample_text",
        ("opened_at", "refund_text"),
        ("closed_at", "closed_by"), "closed_because",
    )  # fmt: skip
    readonly_fields = (
        "owner_link", "money_text", "detail_text", "open_text", "refund_text", "closed_because", "sample_text",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        refunds = Effect.objects.filter(kind=REFUND_KIND).order_by("-pk").values("status")
        of_order = Subquery(refunds.filter(order=OuterRef("order"))[:1])
        of_subscription = Subquery(refunds.filter(subscription=OuterRef("subscription"))[:1])
        rows = super().get_queryset(request).prefetch_related("order__payments", "subscription__payments")
        return rows.annotate(refund=Coalesce(of_subscription, of_order))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """That a sample event has made it up is said where it is so."""
        fields = super().get_fields(request, obj)
        return fields if obj and is_of_sample(obj) else [each for each in fields if each != "sample_text"]

    def row_title(self, request: HttpRequest, row: OrderException) -> str:
        """The question, for who may see what it tells of."""
        may_read = self.permitted(["question_text"], request)
        return self.question_text(row) if may_read else super().row_title(request, row)

    def row_links(self, request: HttpRequest, row: OrderException) -> Iterable[tuple[str, str]]:
        """The payout that it asks about."""
        if row.kind == ExceptionKind.PAYOUT_MISMATCH and may_see(request, "payments.payout"):
            for payout in Payout.objects.filter(stripe_id=row.subject):
                yield page_of(payout), _("Payout")

    @tells_of("payments.order", description=gettext_lazy("question"), ordering="kind")
    def question_text(self, row: OrderException) -> str:
        return sentence_of(row, _payment_of(row))

    @admin.display(description=gettext_lazy("made up"))
    def sample_text(self, row: OrderException) -> str:
        return _("A sample event has made this up, so Stripe cannot know it: dismiss the question.")

    def waiting_rows(self, request: HttpRequest) -> QuerySet:
        return OrderException.objects.filter(is_open=True)

    @tells_of("payments.order", description=gettext_lazy("order or subscription"), ordering="order")
    def owner_link(self, row: OrderException) -> str:
        if row.subscription:
            person = row.subscription.customer
            return format_html("{} {}", link_to(row.subscription), link_to(person) if person else "")
        return link_to_order(row.order)

    @tells_of("payments.order", description=gettext_lazy("net amount"))
    def money_text(self, row: OrderException) -> str:
        """What was neither given back nor lost: of the order, or of a subscription’s payments in question."""
        if row.subscription:
            own = [
                each
                for each in row.subscription.payments.all()
                if row.subject in (each.key, row.subscription.stripe_id)
            ]
            return amount(sum_text(Refundable(each, each.here) for each in own) or NONE)
        return amount(row.order.here_text) if row.order else NONE

    @admin.display(description=gettext_lazy("detail"))
    def detail_text(self, row: OrderException) -> str:
        return row.detail_text

    @admin.display(description=gettext_lazy("state"), ordering="is_open")
    def open_text(self, row: OrderException) -> str:
        return open_pill(row.is_open)

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


def _payment_of(row: OrderException) -> Payment | None:
    """The payment that the question names, among those of its order or subscription."""
    owner = row.order or row.subscription
    mine = owner.payments.all() if owner else ()
    return next((payment for payment in mine if payment.key in (row.subject, row.detail)), None)
