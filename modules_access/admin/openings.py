"""The screen of what plans open: one row a plan; without a row a plan opens all modules."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from modules_access.models import Module, PlanOpening
from modules_access.services.follow_plan import request_follow
from payments.admin.base import ListAdmin


class OpeningForm(forms.ModelForm):
    """Whoever ticks modules means them."""

    class Meta:
        widgets = {"modules": forms.CheckboxSelectMultiple}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.cleaned_data.get("is_all") and self.cleaned_data.get("modules"):
            raise ValidationError(_("Either all modules, or those that are ticked: not both."))
        return cleaned


@admin.register(PlanOpening)
class PlanOpeningAdmin(ListAdmin):
    """Changed, never deleted: "all modules" is what a plan without a row opens."""

    actions = None
    form = OpeningForm
    list_display = ("plan", "sentence")
    list_select_related = ("plan",)
    ordering = ("plan__position", "plan__slug")
    fields = ("plan", "is_all", "modules", "sentence")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("modules")

    def get_readonly_fields(self, request: HttpRequest, obj: PlanOpening | None = None) -> tuple[str, ...]:
        return ("plan", "sentence") if obj else ("sentence",)

    def has_delete_permission(self, request: HttpRequest, obj: PlanOpening | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: PlanOpening, form: Any, change: bool) -> None:
        """The modules are saved after this, in the same transaction; subscriptions follow when it is there to see."""
        super().save_model(request, obj, form, change)
        if form.changed_data:
            request_follow(plan_id=obj.plan_id, at=timezone.now())
            told = _("The subscriptions of this plan follow in the background: what is new opens, what is gone closes.")
            messages.info(request, told)

    @admin.display(description=gettext_lazy("what it means"))
    def sentence(self, opening: PlanOpening) -> str:
        if not opening.pk:
            return _("A plan that is not listed here opens all modules.")
        if opening.is_all:
            return _("Opens all modules, later ones too.")
        return _opens([str(module) for module in sorted(opening.modules.all(), key=_place)])


def _opens(titles: list[str]) -> str:
    if not titles:
        return _("Opens no module.")
    told = {"count": len(titles), "titles": ", ".join(titles)}
    return ngettext("Opens %(count)d module: %(titles)s.", "Opens %(count)d modules: %(titles)s.", len(titles)) % told


def _place(module: Module) -> tuple[int, str]:
    return module.position, module.slug
