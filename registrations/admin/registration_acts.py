"""What staff can do with registrations: free a place, send a message again; each with a reason."""

from collections.abc import Callable
from typing import Any

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
Service = Callable[..., Any]


@admin.action(description=gettext_lazy("Free the place…"), permissions=["free"])
def free_action(screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> TemplateResponse | None:
    """Asks for a reason first, then frees the places for which no money is here."""
    consequences = [
        _("The order is closed, and its open payment page is ended at Stripe: nobody can pay there any more."),
        _("The place goes to whoever paid and waits, then to the waiting list. The person is told."),
        _("A confirmed place in a free activity is given up for good; the person may register again."),
        _("A place that is paid for is not freed: refund the order, and the place is free."),
        _("At most %(count)d places are freed at once.") % {"count": MOST_FREED},
    ]
    return _act(
        screen, request, rows.order_by("pk")[:MOST_FREED], free_place, title=_("Free these places?"),
        consequences=consequences, button=_("Free now"), told=lambda done: ngettext(
            "%(count)d place is free.", "%(count)d places are free.", done
        ),
    )  # fmt: skip


@admin.action(description=gettext_lazy("Send the message again…"), permissions=["resend"])
def resend_action(screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> TemplateResponse | None:
    """Asks for a reason first, then sends the mail about the present state once more."""
    consequences = [
        _("Each person gets the e-mail about where their registration stands now, whatever was sent before."),
        _("Nothing else changes: no place, no money."),
        _("At most %(count)d messages are sent at once.") % {"count": MOST_RESENT},
    ]
    return _act(
        screen, request, rows.order_by("pk")[:MOST_RESENT], resend_message, title=_("Send the message again?"),
        consequences=consequences, button=_("Send now"), told=lambda done: ngettext(
            "%(count)d message is on its way.", "%(count)d messages are on their way.", done
        ),
    )  # fmt: skip


def _act(
    screen: admin.ModelAdmin, request: HttpRequest, chosen: QuerySet, service: Service, *, title: str,
    consequences: list[str], button: str, told: Callable[[int], str],
) -> TemplateResponse | None:  # fmt: skip
    """The page between, or what it was agreed to: the service for each row, and how many were done."""
    form = reason_form(request)
    if not form.is_valid():
        return confirmation_page(
            screen, request, chosen, form=form, title=title, consequences=consequences, button=button
        )
    given = {"reason": form.cleaned_data["reason"], "by": request.user, "at": timezone.now()}
    if done := act_on_each(request, chosen, lambda row: service(registration=row, **given)):
        messages.success(request, told(done) % {"count": done})
    return None
