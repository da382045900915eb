"""`/encours/<order>/receipt/`: the receipt for a module that was bought, for whom it belongs to."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from modules_access.models import Purchase
from payments.billing.receipts import NothingPaid, receipt_context
from payments.pages.base_views import user_of


@require_safe
@never_cache
@login_required
def receipt(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Made to be printed; 404 where nothing was paid, or by somebody else."""
    rows = Purchase.objects.select_related("order", "module").filter(user=user_of(request))
    purchase = get_object_or_404(rows, order__public_id=public_id)
    try:
        context = receipt_context(purchase.order, at=timezone.now())
    except NothingPaid as error:
        raise Http404 from error
    return render(request, "modules_access/receipt.html", {**context, "purchase": purchase})
