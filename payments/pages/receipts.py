"""Receipts as pages made to be printed and as PDF; and those of one's subscription, at `/subscription/payments/`."""

from collections.abc import Callable

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from payments.billing.models import Payment
from payments.billing.receipt_pdf import pdf_response
from payments.billing.receipts import NothingPaid, Paper, paper_of_payment
from payments.money import format_amount
from payments.pages.base_views import user_of

# Of a monthly subscription more than sixteen years.
MOST_PAYMENTS = 200


def show_receipt(
    request: HttpRequest, write: Callable[[], Paper], *, as_pdf: bool, pdf: str, back: tuple[str, str]
) -> HttpResponse:
    """The paper that `write` makes; 404 where nothing was paid. `pdf`: the address of that; `back`: address, words."""
    try:
        paper = write()
    except NothingPaid as error:
        raise Http404 from error
    if as_pdf:
        return pdf_response(paper)
    context = {"paper": paper, "pdf": pdf, "back": back[0], "back_words": back[1]}
    return render(request, "public/receipt.html", context)


@require_safe
@never_cache
@login_required
def payments(request: HttpRequest) -> HttpResponse:
    """What was paid for one's subscriptions, the newest first, each with its receipt."""
    rows = [
        (row, format_amount(row.received, row.currency)) for row in _paid_by(user_of(request))[:MOST_PAYMENTS]
    ]  # fmt: skip
    return render(request, "payments/payments.html", {"payments": rows})


@require_safe
@never_cache
@login_required
def payment_receipt(request: HttpRequest, pk: int, as_pdf: bool = False) -> HttpResponse:
    """Of one payment; 404 where it is somebody else's."""
    user = user_of(request)
    payment = get_object_or_404(_paid_by(user), pk=pk)
    return show_receipt(
        request,
        lambda: paper_of_payment(payment, buyer=[user.name, user.email], at=timezone.now()),
        as_pdf=as_pdf,
        pdf=reverse("payment-receipt-pdf", args=[pk]),
        back=(reverse("subscription-payments"), _("Payments for your subscription")),
    )


def _paid_by(user: User) -> QuerySet[Payment]:
    """For their subscriptions; a trial's invoice of nothing is none."""
    rows = Payment.objects.filter(subscription__customer__user=user, received__gt=0, paid_at__isnull=False)
    return rows.select_related("subscription__plan").order_by("-paid_at", "-pk")
