"""The switches' screen: which event types are held back; removing one releases what it held."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from payments.admin.base import ListAdmin
from payments.handlers.registry import handled_types
from payments.ledger.models import HeldType
from payments.processing.replay import release_held


def type_choices() -> list[tuple[str, str]]:
    """A type that nobody handles needs no holding, and a misspelt one would hold nothing."""
    return [("", "---------"), *((name, name) for name in handled_types())]


class HoldForm(forms.ModelForm):
    """Which type, and why."""

    type = forms.ChoiceField(label=_("event type"), choices=type_choices)


@admin.register(HeldType)
class HeldTypeAdmin(ListAdmin):
    """Adding holds from the next batch on; deleting releases. There is nothing to change about a hold."""

    form = HoldForm
    fields = ("type", "reason")
    list_display = ("type", "held_at", "held_by", "reason")
    list_select_related = ("held_by",)
    ordering = ("type",)

    def has_change_permission(self, request: HttpRequest, obj: HeldType | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: HeldType, form: Any, change: bool) -> None:
        obj.held_by_id = request.user.pk
        obj.save(force_insert=True)

    def delete_model(self, request: HttpRequest, obj: HeldType) -> None:
        count = release_held(type=obj.type, by=request.user, at=timezone.now())
        released = ngettext("%(count)d event of %(type)s released.", "%(count)d events of %(type)s released.", count)
        messages.success(request, released % {"count": count, "type": obj.type})

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        for held in queryset:
            self.delete_model(request, held)
