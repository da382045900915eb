"""What staff can do with tokens: revoke them, with a reason that is kept."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from modules_access.services.tokens import revoke_token
from payments.admin.actions import apply_to_each
from payments.admin.confirm import confirmation_page, reason_form

MOST_AT_ONCE = 100


@admin.action(description=gettext_lazy("Revoke…"), permissions=["revoke"])
def revoke_action(screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> TemplateResponse | None:
    """Asks why first, then ends the chosen tokens and the accesses that they give."""
    chosen, form = rows.order_by("pk")[:MOST_AT_ONCE], reason_form(request)
    if not form.is_valid():
        consequences = [
            _("They open nothing any more, from this moment on and for good."),
            _("What the person has by a payment, a subscription or from staff stays."),
        ]
        return confirmation_page(
            screen, request, chosen, form=form, title=_("Revoke these tokens?"), consequences=consequences,
            button=_("Revoke now"),
        )  # fmt: skip
    given = {"reason": form.cleaned_data["reason"], "by": request.user, "at": timezone.now()}
    apply_to_each(request, chosen, lambda row: revoke_token(token=row, **given), done=_("revoked."))
    return None
