"""Calling an activity off: what will happen is told first, and the reason is asked for."""

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
from registrations.models import Activity
from registrations.services.call_off import call_off
from registrations.services.called_off import prospect


@admin.action(description=gettext_lazy("Call off…"), permissions=["call_off"])
def call_off_action(screen: admin.ModelAdmin, request: HttpRequest, rows: QuerySet) -> TemplateResponse | None:
    """Asks for a reason first, then calls the one chosen activity off."""
    chosen = list(rows[:2])
    if len(chosen) != 1:
        messages.warning(request, _("Please call off one activity at a time."))
        return None
    form = reason_form(request)
    if not form.is_valid():
        return confirmation_page(
            screen, request, rows, form=form, title=_("Call this activity off?"),
            consequences=consequences(chosen[0]), button=_("Call off now"),
        )  # fmt: skip
    _carry_out(screen, request, chosen[0], reason=form.cleaned_data["reason"])
    return None


def consequences(activity: Activity) -> list[str]:
    """What calling off will do, in sentences, with how many people and how much money."""
    outlook = prospect(activity)
    told = ngettext("%(count)d person is told by e-mail.", "%(count)d people are told by e-mail.", outlook.told)
    refunds = ngettext(
        "%(count)d payment is refunded: %(totals)s in all.",
        "%(count)d payments are refunded: %(totals)s in all.",
        outlook.refunds,
    )
    money = {"count": outlook.refunds, "totals": ", ".join(outlook.totals)}
    return [
        _("Sales are closed at once and for good: this cannot be undone."),
        told % {"count": outlook.told},
        refunds % money if outlook.refunds else _("Nobody has paid yet: nothing is refunded."),
        _("Open payment pages are ended; money that comes all the same goes back by itself."),
        _("The reason is told to everybody."),
    ]


def _carry_out(screen: Any, request: HttpRequest, activity: Activity, *, reason: str) -> None:
    at, by = timezone.now(), request.user
    done = act_on_each(
        request, [activity], lambda each: call_off(activity=each, reason=reason, by=by, at=at)
    )  # fmt: skip
    if done:
        screen.log_change(request, activity, reason)
        told = _("“%(title)s” is called off: everybody is told, and the money goes back.")
        messages.success(request, told % {"title": activity.title})
