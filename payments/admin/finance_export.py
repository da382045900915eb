"""A month's money for the accounts, as a table to take along."""

from datetime import datetime

import structlog
from django.http import HttpRequest, HttpResponseBadRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.staff_site import Job, staff_context, staff_page
from payments.admin.kit.tables import csv_response
from payments.figures.days import Days
from payments.figures.finance import (
    NoSuchCurrency,
    NoSuchMonth,
    finance_table,
    months_with_money,
    read_currency,
    read_month,
    read_until,
)
from payments.payouts.models import Payout, PayoutWalk

log = structlog.get_logger(__name__)
TITLE = gettext_lazy("Export for the accounts")


@staff_page(
    "finance-export/", name="finance_export", title=TITLE, job=Job.DASHBOARD, position=2,
    permission="payments.export_payout",
)  # fmt: skip
@require_safe
@never_cache
def finance_export(request: HttpRequest) -> HttpResponseBase:
    """`?month=2026-11`, `?currency=eur` give the file; another value is refused."""
    if "month" in request.GET:
        return _file(request)
    at, read = timezone.now(), read_until()
    walk = PayoutWalk.objects.filter(is_dry_run=False).order_by("-started_at").first()
    currencies = Payout.objects.order_by("currency").values_list("currency", flat=True).distinct()
    context = staff_context(
        request, title=TITLE, months=[_month(each, read=read) for each in months_with_money(at=at)],
        currencies=[(code, code.upper()) for code in currencies], read=capfirst(walk.sentence) if walk else "",
        error=walk.error if walk else "",
    )  # fmt: skip
    return TemplateResponse(request, "admin/payments/finance_export.html", context)


def _month(month: Days, *, read: datetime) -> tuple[str, str]:
    """As the address names it, and as people do. `read`: up to when everything is known."""
    words = capfirst(date_format(month.first, "YEAR_MONTH_FORMAT"))
    told = words if read >= month.until else _("%(month)s (not whole yet)") % {"month": words}
    return f"{month.first:%Y-%m}", told


def _file(request: HttpRequest) -> HttpResponseBase:
    try:
        month = read_month(request.GET["month"], at=timezone.now())
        currency = read_currency(request.GET.get("currency", ""))
    except (NoSuchMonth, NoSuchCurrency) as refusal:
        return HttpResponseBadRequest(str(refusal), content_type="text/plain; charset=utf-8")
    log.info("finance.exported", month=f"{month.first:%Y-%m}", currency=currency, by=request.user.pk)
    name = "-".join(filter(None, ("money", f"{month.first:%Y-%m}", currency)))
    return csv_response(finance_table(month, currency=currency), filename=f"{name}.csv")
