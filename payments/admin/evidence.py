"""The evidence of a dispute as a download."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.evidence import pack_evidence


@admin.action(description=gettext_lazy("Download the evidence of the selected dispute"), permissions=["evidence"])
def evidence(screen: admin.ModelAdmin, request: HttpRequest, disputes: QuerySet) -> HttpResponse | None:
    """A ZIP file; nothing is sent to Stripe, and nothing changes."""
    chosen = list(disputes.select_related("order", "subscription")[:2])
    if len(chosen) != 1:
        messages.warning(request, _("Evidence belongs to one dispute: choose one."))
        return None
    [dispute] = chosen
    packed = pack_evidence(dispute, by=request.user.get_username(), at=timezone.now())
    response = HttpResponse(packed, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{dispute.stripe_id}.zip"'
    return response
