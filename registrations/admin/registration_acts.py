"""What staff can do with registrations: free a place, send a message again; each with a reason."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from payments.admin.confirm import confirmation_page, reason_form
from registrations.admin.acts import act_on_each
from registrations.services.free_place import free_place
from registrations.services.resend import resend_message

# Stripe is asked about each, and somebody waits for the page.
MOST_FREED = 20
MOST_RESENT = 200


@admin.action(description=gettext_lazy("Free the place…"), permissions=["free"])
def free_action(screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> TemplateResponse | None:
    """Asks for a reason first, then closes the unpaid orders behind the places."""
    form = reason_form(request)
    chosen = rows.order_by("pk")[:MOST_FREED]
    if not form.is_valid():
        consequences = [
            _("The order is closed, and its open payment page is ended at Stripe: nobody can pay there any more."),
            _("The place goes to whoever paid and waits, then to the waiting list. The person is told."),
            _("A place that is paid for is not freed: refund the order, and the place is free."),
            _("At most %(count)d places are freed at once.") % {"count": MOST_FREED},
        ]
        return confirmation_page(
            screen, request, chosen, form=form, title=_("Free these places?"), consequences=consequences,
            button=_("Free now"),
        )  # fmt: skip
    at, because, by = timezone.now(), form.cleaned_data["reason"], request.user
    done = act_on_each(
        request, chosen, lambda row: free_place(registration=row, because=because, by=by, at=at)
    )  # fmt: skip
    if done:
        told = ngettext("%(count)d place is free.", "%(count)d places are free.", done)
        messages.success(request, told % {"count": done})
    return None


@admin.action(description=gettext_lazy("Send the message again…"), permissions=["resend"])
def resend_action(screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> TemplateResponse | None:
    """Asks for a reason first, then sends the mail about the present state once more."""
    form = reason_form(request)
    chosen = rows.order_by("pk")[:MOST_RESENT]
    if not form.is_valid():
        consequences = [
            _("Each person gets the e-mail about where their registration stands now, whatever was sent before."),
            _("Nothing else changes: no place, no money."),
            _("At most %(count)d messages are sent at once.") % {"count": MOST_RESENT},
        ]
        return confirmation_page(
            screen, request, chosen, form=form, title=_("Send the message again?"), consequences=consequences,
            button=_("Send now"),
        )  # fmt: skip
    at, because, by = timezone.now(), form.cleaned_data["reason"], request.user
    done = act_on_each(
        request, chosen, lambda row: resend_message(registration=row, because=because, by=by, at=at)
    )  # fmt: skip
    if done:
        told = ngettext("%(count)d message is on its way.", "%(count)d messages are on their way.", done)
        messages.success(request, told % {"count": done})
    return None
