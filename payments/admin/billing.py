"""The money's screens: payments, refunds and disputes, as Stripe told them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from payments.admin.base import ReadOnlyAdmin, link_to
from payments.billing.models import Dispute, Payment, Refund
from payments.money import format_amount


class MoneyAdmin(ReadOnlyAdmin):
    """What belongs to an order and has an amount."""

    list_select_related = ("order",)

    @admin.display(description=_("order"), ordering="order")
    def order_link(self, row: Payment | Refund | Dispute) -> str:
        return link_to(row.order, row.order.number)

    @admin.display(description=_("amount"), ordering="amount")
    def amount_text(self, row: Refund | Dispute) -> str:
        return format_amount(row.amount, row.currency)


@admin.register(Payment)
class PaymentAdmin(MoneyAdmin):
    """One PaymentIntent each."""

    list_display = ("key", "order_link", "received_text", "refunded_text", "paid_at")
    list_filter = (("paid_at", admin.DateFieldListFilter),)
    ordering = ("-paid_at",)
    search_fields = ("key__exact",)

    @admin.display(description=_("received"), ordering="received")
    def received_text(self, row: Payment) -> str:
        return format_amount(row.received, row.currency)

    @admin.display(description=_("refunded"), ordering="refunded")
    def refunded_text(self, row: Payment) -> str:
        return format_amount(row.refunded, row.currency)


@admin.register(Refund)
class RefundAdmin(MoneyAdmin):
    """What went back, or was meant to."""

    list_display = ("stripe_id", "order_link", "payment", "amount_text", "status", "status_at", "failure_reason")
    list_filter = ("status",)
    ordering = ("-status_at",)
    search_fields = ("stripe_id__exact", "payment__exact")


@admin.register(Dispute)
class DisputeAdmin(MoneyAdmin):
    """Open ones first, the nearest deadline on top."""

    list_display = ("stripe_id", "order_link", "amount_text", "reason", "status", "phase", "due_by")
    list_filter = ("phase",)
    ordering = ("phase", "due_by")
    search_fields = ("stripe_id__exact", "payment__exact")
