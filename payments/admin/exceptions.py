"""The exception desk: money that needs a person, and the three ways in which a person can settle it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.admin.actions import apply_to_each
from payments.admin.base import ReadOnlyAdmin, link_to
from payments.admin.confirm import SHOWN, confirmation_page, reason_form
from payments.admin.refunds import in_words
from payments.effects.models import Effect
from payments.money import format_amount
from payments.orders.models import OrderException
from payments.refunds.refund import KIND
from payments.refunds.staff_refunds import concerns, dismiss, give_place, preview_refund, refund_exception
from payments.statuses import EffectStatus

MOST_AT_ONCE = 100
Service = Callable[..., Any]


@admin.action(description=gettext_lazy("Refund the money in question…"), permissions=["refund"])
def refund(screen: admin.ModelAdmin, request: HttpRequest, questions: QuerySet) -> HttpResponse | None:
    """All of the payment that the question is about; of who has no place all that was paid."""
    consequences = [*map(_goes_back, _chosen(questions)[:SHOWN]), _("A question closes when Stripe says so.")]
    return _settle(
        screen, request, questions, refund_exception, by=request.user.get_username(), title=_("Refund this money?"),
        consequences=consequences, button=_("Refund now"), done=_("asked for. What becomes of it stands at the order."),
    )  # fmt: skip


@admin.action(description=gettext_lazy("Give a place…"), permissions=["settle"])
def seat(screen: admin.ModelAdmin, request: HttpRequest, questions: QuerySet) -> HttpResponse | None:
    """Who paid without a place gets the one that is free."""
    consequences = [
        _("Whoever paid first gets a place, as far as places are free; the question closes."),
        _("The buyer gets the confirmation by e-mail."),
        _("A refund that was given up is withdrawn; while one is under way nobody gets a place as well."),
    ]
    return _settle(
        screen, request, questions, give_place, by=request.user.get_username(), title=_("Give these people a place?"),
        consequences=consequences, button=_("Give a place now"), done=_("given a place."),
    )  # fmt: skip


@admin.action(description=gettext_lazy("Dismiss…"), permissions=["settle"])
def close(screen: admin.ModelAdmin, request: HttpRequest, questions: QuerySet) -> HttpResponse | None:
    """Nothing needs to be done."""
    consequences = [
        _("The question closes for good and is kept with your name and reason."),
        _("No money moves, and nobody is written to."),
    ]
    return _settle(
        screen, request, questions, dismiss, by=request.user, title=_("Dismiss these questions?"),
        consequences=consequences, button=_("Dismiss now"), done=_("dismissed."),
    )  # fmt: skip


def _settle(
    screen: admin.ModelAdmin,
    request: HttpRequest,
    questions: QuerySet,
    service: Service,
    *,
    by: Any,
    title: str,
    consequences: list[str],
    button: str,
    done: str,
) -> HttpResponse | None:
    form = reason_form(request)
    rows = _chosen(questions)
    if not form.is_valid():
        return confirmation_page(
            screen, request, rows, form=form, title=title, consequences=consequences, button=button
        )
    at, reason = timezone.now(), form.cleaned_data["reason"]
    apply_to_each(request, rows, lambda row: service(exception=row, reason=reason, by=by, at=at), done=done)
    return None


def _chosen(questions: QuerySet) -> QuerySet:
    return questions.order_by("opened_at", "pk")[:MOST_AT_ONCE]


def _goes_back(question: OrderException) -> str:
    """One sentence about one question."""
    if question.order is None:
        return _("%(question)s: no order belongs to it, so it can only be refunded at Stripe.") % {"question": question}
    left = [each for each in preview_refund(question.order)[1] if concerns(question, each)]
    told = {"order": question.order.number, "amount": in_words(left), "kind": question.get_kind_display()}
    if not left:
        return _("%(order)s, %(kind)s: nothing is left to refund.") % told
    return _("%(order)s, %(kind)s: %(amount)s goes back the way it came.") % told


@admin.register(OrderException)
class OrderExceptionAdmin(ReadOnlyAdmin):
    """The oldest open question first; nothing is deleted, what was settled stays as history."""

    actions = (refund, seat, close)
    change_form_template = "admin/payments/orderexception/change_form.html"
    list_display = (
        "kind", "order_link", "money_text", "detail", "is_open", "age_text", "refund_text", "closed_reason", "subject",
    )  # fmt: skip
    list_filter = ("is_open", "kind")
    list_select_related = ("order",)
    ordering = ("-is_open", "opened_at")
    search_fields = ("subject__exact",)
    fields = (
        ("kind", "is_open"), ("order_link", "money_text"), "subject", "detail", ("opened_at", "refund_text"),
        ("closed_at", "closed_by"), "closed_reason",
    )  # fmt: skip
    readonly_fields = ("order_link", "money_text", "refund_text")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        refunds = Effect.objects.filter(order=OuterRef("order"), kind=KIND).order_by("-pk")
        return super().get_queryset(request).annotate(refund=Subquery(refunds.values("status")[:1]))

    def has_refund_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.add_refund")

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.change_orderexception")

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context["may_refund"] = self.has_refund_permission(request)
        context["may_settle"] = self.has_settle_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("order"), ordering="order")
    def order_link(self, row: OrderException) -> str:
        return link_to(row.order, row.order.number if row.order else "")

    @admin.display(description=gettext_lazy("money here"))
    def money_text(self, row: OrderException) -> str:
        """What the order has received and not given back."""
        if row.order is None:
            return "–"
        return format_amount(row.order.amount_received - row.order.amount_refunded, row.order.currency)

    @admin.display(description=gettext_lazy("age"), ordering="opened_at")
    def age_text(self, row: OrderException) -> str:
        return timesince(row.opened_at, row.closed_at)

    @admin.display(description=gettext_lazy("refund"))
    def refund_text(self, row: Any) -> str:
        """Where the last refund of the order stands, asked for by a person or by the activity's policy."""
        return str(EffectStatus(row.refund).label) if row.refund else "–"
