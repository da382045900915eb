"""The money's screens: payments, refunds and disputes, as Stripe told them."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Case, IntegerField, Q, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html, format_html_join
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
from payments.billing.alerts import DISPUTE_REASONS
from payments.billing.models import Dispute, Payment, Refund
from payments.billing.refund_reasons import refund_reason
from payments.evidence import missing_evidence, pack_evidence
from payments.evidence.requirements import IN_PACK, still_missing
from payments.statuses import DISPUTE_UNANSWERED, DisputePhase
from payments.todo.money import dispute_sentence

EVIDENCE = "payments.evidence_dispute"


class MoneyAdmin(ReadOnlyAdmin):
    """What belongs to an order or a subscription and has an amount."""

    list_select_related = ("order", "subscription")
    # How its own ids begin; payments are found as their orders.
    id_prefixes: tuple[str, ...] = ()

    @tells_of(
        "payments.order", "payments.subscription", description=gettext_lazy("order or subscription"), ordering="order"
    )
    def owner_link(self, row: Payment | Refund | Dispute) -> str:
        return link_to_owner(row)

    def named(self, term: str) -> Q | None:
        return Q(stripe_id=term) if term.startswith(self.id_prefixes) else None


@admin.register(Payment)
class PaymentAdmin(MoneyAdmin):
    """One PaymentIntent or one invoice each."""

    job, position = Job.ORDERS, 1
    list_display = ("key", "owner_link", "received_text", "refunded_text", "lost_text", "paid_at")
    list_filter = (("subscription", admin.EmptyFieldListFilter), ("paid_at", admin.DateFieldListFilter))
    ordering = ("-pk",)
    search_fields = ("key__exact",)

    received_text = money_column("received", gettext_lazy("received"))
    refunded_text = money_column("refunded", gettext_lazy("refunded"))
    lost_text = money_column("lost", gettext_lazy("lost to disputes"))


@admin.register(Refund)
class RefundAdmin(MoneyAdmin):
    """What went back, or was meant to."""

    job, position = Job.ORDERS, 2
    list_display = ("stripe_id", "owner_link", "payment_text", "amount_text", "status", "status_at", "why_text")
    list_filter = ("status",)
    id_prefixes = ("re_", "pyr_")
    ordering = ("-pk",)
    search_fields = ("stripe_id__exact", "payment__exact")

    payment_text = stripe_id_column("payment", gettext_lazy("payment"))
    amount_text = money_column("amount", gettext_lazy("amount"))

    @admin.display(description=gettext_lazy("why it waits or failed"))
    def why_text(self, row: Refund) -> str:
        """In words for people."""
        told = row.failure_reason or row.pending_reason
        return refund_reason(told) if told else NONE


@screen_action(
    description=gettext_lazy("Download the evidence of the selected dispute"),
    label=gettext_lazy("Download the evidence"), permission=EVIDENCE,
    only_one=gettext_lazy("Evidence belongs to one dispute: choose one."),
)  # fmt: skip
def evidence(screen: Any, request: HttpRequest, disputes: QuerySet) -> HttpResponse:
    """A ZIP file; nothing is sent to Stripe, and nothing changes."""
    [dispute] = disputes
    return _packed(screen, request, dispute)


def _packed(screen: Any, request: HttpRequest, dispute: Dispute) -> HttpResponse:
    screen.log_change(request, dispute, _("Evidence downloaded"))
    packed = pack_evidence(dispute, by=request.user.get_username(), at=timezone.now())
    response = HttpResponse(packed, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{dispute.stripe_id}.zip"'
    return response


@admin.register(Dispute)
class DisputeAdmin(MoneyAdmin):
    """Open ones and inquiries first, the nearest deadline on top."""

    job, position = Job.ORDERS, 3
    actions = (evidence,)
    list_display = (
        "question_text", "phase_text", "amount_text", "left", "missing_count", "evidence_link", "owner_link",
    )  # fmt: skip
    list_filter = ("phase",)
    list_select_related = ("order", "subscription__plan")
    id_prefixes = ("du_", "dp_")
    ordering = (
        Case(
            When(phase=DisputePhase.INQUIRY, then=DisputePhase.OPEN.value), default="phase", output_field=IntegerField()
        ),
        "due_by",
    )
    search_fields = ("stripe_id__exact", "payment__exact")
    fields = (
        ("phase_text", "status"), ("stripe_id_text", "payment_text"), "owner_link", ("amount_text", "reason_text"),
        ("due_by", "left"), "status_at", "missing_text",
    )  # fmt: skip
    readonly_fields = (
        "phase_text", "stripe_id_text", "payment_text", "owner_link", "amount_text", "reason_text", "left",
        "missing_text",
    )  # fmt: skip

    stripe_id_text = stripe_id_column("stripe_id", gettext_lazy("dispute"))
    payment_text = stripe_id_column("payment", gettext_lazy("payment"))
    amount_text = money_column("amount", gettext_lazy("amount"))

    def get_urls(self) -> list[URLPattern]:
        own = self.admin_site.admin_view(self.evidence_view)
        return [path("<int:pk>/evidence/", own, name="payments_dispute_evidence"), *super().get_urls()]

    def evidence_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The pack, one click away; nothing is sent to Stripe, and nothing changes."""
        if not request.user.has_perm(EVIDENCE):
            raise PermissionDenied
        return _packed(self, request, get_object_or_404(Dispute, pk=pk))

    def get_list_display(self, request: HttpRequest) -> Any:
        columns = super().get_list_display(request)
        return [each for each in columns if each != "evidence_link" or request.user.has_perm(EVIDENCE)]

    @tells_of("payments.order", "payments.subscription", description=gettext_lazy("dispute"), ordering="due_by")
    def question_text(self, row: Dispute) -> str:
        return dispute_sentence(row)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """What it is about is the title, for who may see that."""
        row = context.get("original")
        if row is not None and self.permitted(["question_text"], request):
            context |= {"title": self.question_text(row), "subtitle": None}
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("reason"), ordering="reason")
    def reason_text(self, row: Dispute) -> str:
        """In words for people; another word is shown as Stripe says it."""
        return str(DISPUTE_REASONS.get(row.reason, row.reason)) or NONE

    @admin.display(description=gettext_lazy("evidence"))
    def evidence_link(self, row: Dispute) -> str:
        return format_html('<a href="{}/evidence/">{}</a>', row.pk, _("Download"))

    @admin.display(description=gettext_lazy("to add by hand"))
    def missing_count(self, row: Dispute) -> str:
        """How many things that the bank wants to see no part of the pack can hold."""
        return str(len(still_missing(row.reason, at_hand=IN_PACK))) if row.status in DISPUTE_UNANSWERED else NONE

    @tells_of("payments.order", "payments.subscription", description=gettext_lazy("evidence that is still missing"))
    def missing_text(self, row: Dispute) -> str:
        """What the bank wants to see, and the pack does not show."""
        if row.status not in DISPUTE_UNANSWERED:
            return NONE
        missing = ((sentence,) for sentence in missing_evidence(row, at=timezone.now()))
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", missing)) or NONE

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
