"""The money's screens: payments, refunds and disputes, as Stripe told them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from payments.admin.base import ReadOnlyAdmin, link_to_owner
from payments.admin.evidence import evidence
from payments.admin.pills import OF_DISPUTE, OFF, pill
from payments.billing.models import Dispute, Payment, Refund
from payments.money import format_amount
from payments.statuses import DisputePhase


class MoneyAdmin(ReadOnlyAdmin):
    """What belongs to an order or a subscription and has an amount."""

    list_select_related = ("order", "subscription")

    class Media:
        css = {"all": ["payments/admin.css"]}

    @admin.display(description=gettext_lazy("order or subscription"), ordering="order")
    def owner_link(self, row: Payment | Refund | Dispute) -> str:
        return link_to_owner(row)

    @admin.display(description=gettext_lazy("amount"), ordering="amount")
    def amount_text(self, row: Refund | Dispute) -> str:
        return format_amount(row.amount, row.currency)


@admin.register(Payment)
class PaymentAdmin(MoneyAdmin):
    """One PaymentIntent or one invoice each."""

    list_display = ("key", "owner_link", "received_text", "refunded_text", "paid_at")
    list_filter = (("subscription", admin.EmptyFieldListFilter), ("paid_at", admin.DateFieldListFilter))
    ordering = ("-paid_at",)
    search_fields = ("key__exact",)

    @admin.display(description=gettext_lazy("received"), ordering="received")
    def received_text(self, row: Payment) -> str:
        return format_amount(row.received, row.currency)

    @admin.display(description=gettext_lazy("refunded"), ordering="refunded")
    def refunded_text(self, row: Payment) -> str:
        return format_amount(row.refunded, row.currency)


@admin.register(Refund)
class RefundAdmin(MoneyAdmin):
    """What went back, or was meant to."""

    list_display = ("stripe_id", "owner_link", "payment", "amount_text", "status", "status_at", "failure_reason")
    list_filter = ("status",)
    ordering = ("-status_at",)
    search_fields = ("stripe_id__exact", "payment__exact")


@admin.register(Dispute)
class DisputeAdmin(MoneyAdmin):
    """Open ones first, the nearest deadline on top."""

    actions = (evidence,)
    change_form_template = "admin/payments/dispute/change_form.html"
    list_display = ("stripe_id", "owner_link", "amount_text", "reason", "status", "phase_text", "due_by", "left")
    list_filter = ("phase",)
    ordering = ("phase", "due_by")
    search_fields = ("stripe_id__exact", "payment__exact")
    fields = (
        ("phase_text", "status"), ("stripe_id", "payment"), "owner_link", ("amount_text", "reason"),
        ("due_by", "left"), "status_at",
    )  # fmt: skip
    readonly_fields = ("phase_text", "owner_link", "amount_text", "left")

    def has_evidence_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.evidence_dispute")

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context["may_have_evidence"] = self.has_evidence_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("phase"), ordering="phase")
    def phase_text(self, row: Dispute) -> str:
        return pill(row.get_phase_display(), OF_DISPUTE.get(row.phase, OFF))

    @admin.display(description=gettext_lazy("time left"), ordering="due_by")
    def left(self, row: Dispute) -> str:
        """Whole days until the answer must be with Stripe."""
        if row.phase != DisputePhase.OPEN or row.due_by is None:
            return "–"
        days = (row.due_by - timezone.now()).days
        if days < 0:
            return _("the deadline has passed")
        return ngettext("%(count)d day", "%(count)d days", days) % {"count": days} if days else _("less than a day")
