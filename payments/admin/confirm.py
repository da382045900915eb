"""The page between an action and its effect: what will happen, to what, and the reason that is kept."""

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

SHOWN = 20


class ReasonForm(forms.Form):
    """Why somebody does this; it is written down with what was done."""

    required_css_class = "required"
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("Kept with what happens now, for whoever asks later."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )


def reason_form(request: HttpRequest) -> ReasonForm:
    """The form as filled in on the page between; not filled in when the action has just been chosen."""
    return ReasonForm(request.POST if "confirmed" in request.POST else None)


def confirmation_page(
    screen: admin.ModelAdmin,
    request: HttpRequest,
    rows: QuerySet,
    *,
    form: ReasonForm,
    title: str,
    consequences: list[str],
    button: str,
) -> TemplateResponse:
    """Asks for the reason; sends the same action again, with the rows that were chosen."""
    context = {
        **screen.admin_site.each_context(request),
        "title": title,
        "form": form,
        "opts": screen.opts,
        "rows": rows[:SHOWN],
        "more": max(0, rows.count() - SHOWN),
        "consequences": consequences,
        "button": button,
        "action": request.POST["action"],
        "select_across": request.POST.get("select_across", "0"),
        "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "chosen_name": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/confirm_action.html", context)
