"""The money's screens: payments, refunds and disputes, as Stripe told them."""

from typing import Any

from django.contrib import admin
from django.db.models import Case, IntegerField, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.menu import Job
from payments.admin.kit.actions import screen_action
from payments.admin.kit.display import (
    DISPUTE_TINTS,
    NONE,
    OFF,
    link_to_owner,
    money_column,
    pill,
    stripe_id_column,
    tells_of,
)
from payments.admin.kit.screens import ReadOnlyAdmin
from payments.billing.models import Dispute, Payment, Refund
from payments.evidence import pack_evidence
from payments.statuses import DISPUTE_UNANSWERED, DisputePhase


class MoneyAdmin(ReadOnlyAdmin):
    """What belongs to an order or a subscription and has an amount."""

    list_select_related = ("order", "subscription")

    @tells_of(
        "payments.order", "payments.subscription", description=gettext_lazy("order or subscription"), ordering="order"
    )
    def owner_link(self, row: Payment | Refund | Dispute) -> str:
        return link_to_owner(row)


@admin.register(Payment)
class PaymentAdmin(MoneyAdmin):
    """One PaymentIntent or one invoice each."""

    job, position = Job.ORDERS, 1
    list_display = ("key", "owner_link", "received_text", "refunded_text", "lost_text", "paid_at")
    list_filter = (("subscription", admin.EmptyFieldListFilter), ("paid_at", admin.DateFieldListFilter))
    ordering = ("-paid_at",)
    search_fields = ("key__exact",)

    received_text = money_column("received", gettext_lazy("received"))
    refunded_text = money_column("refunded", gettext_lazy("refunded"))
    lost_text = money_column("lost", gettext_lazy("lost to disputes"))


@admin.register(Refund)
class RefundAdmin(MoneyAdmin):
    """What went back, or was meant to."""

    job, position = Job.ORDERS, 2
    list_display = (
        "stripe_id", "owner_link", "payment", "amount_text", "status", "status_at", "pending_reason", "failure_reason",
    )  # fmt: skip
    list_filter = ("status",)
    ordering = ("-status_at",)
    search_fields = ("stripe_id__exact", "payment__exact")

    amount_text = money_column("amount", gettext_lazy("amount"))


@screen_action(
    description=gettext_lazy("Download the evidence of the selected dispute"),
    label=gettext_lazy("Download the evidence"), permission="payments.evidence_dispute",
    only_one=gettext_lazy("Evidence belongs to one dispute: choose one."),
)  # fmt: skip
def evidence(screen: Any, request: HttpRequest, disputes: QuerySet) -> HttpResponse:
    """A ZIP file; nothing is sent to Stripe, and nothing changes."""
    [dispute] = disputes
    packed = pack_evidence(dispute, by=request.user.get_username(), at=timezone.now())
    response = HttpResponse(packed, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{dispute.stripe_id}.zip"'
    return response


@admin.register(Dispute)
class DisputeAdmin(MoneyAdmin):
    """Open ones and inquiries first, the nearest deadline on top."""

    job, position = Job.ORDERS, 3
    actions = (evidence,)
    list_display = ("stripe_id", "owner_link", "amount_text", "reason", "status", "phase_text", "due_by", "left")
    list_filter = ("phase",)
    ordering = (
        Case(
            When(phase=DisputePhase.INQUIRY, then=DisputePhase.OPEN.value), default="phase", output_field=IntegerField()
        ),
        "due_by",
    )
    search_fields = ("stripe_id__exact", "payment__exact")
    fields = (
        ("phase_text", "status"), ("stripe_id_text", "payment_text"), "owner_link", ("amount_text", "reason"),
        ("due_by", "left"), "status_at",
    )  # fmt: skip
    readonly_fields = ("phase_text", "stripe_id_text", "payment_text", "owner_link", "amount_text", "left")

    stripe_id_text = stripe_id_column("stripe_id", gettext_lazy("dispute"))
    payment_text = stripe_id_column("payment", gettext_lazy("payment"))
    amount_text = money_column("amount", gettext_lazy("amount"))

    def waiting_rows(self, request: HttpRequest) -> QuerySet:
        return Dispute.objects.filter(status__in=DISPUTE_UNANSWERED)

    @admin.display(description=gettext_lazy("phase"), ordering="phase")
    def phase_text(self, row: Dispute) -> str:
        return pill(row.get_phase_display(), DISPUTE_TINTS.get(row.phase, OFF))

    @admin.display(description=gettext_lazy("time left"), ordering="due_by")
    def left(self, row: Dispute) -> str:
        """Whole days until the answer must be with Stripe."""
        if row.phase not in (DisputePhase.INQUIRY, DisputePhase.OPEN) or row.due_by is None:
            return NONE
        days = (row.due_by - timezone.now()).days
        if days < 0:
            return _("the deadline has passed")
        return ngettext("%(count)d day", "%(count)d days", days) % {"count": days} if days else _("less than a day")
