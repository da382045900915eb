"""The effects' screen: every mail, alert and refund that a change asked for, and what became of it."""

from django.contrib import admin
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from payments.admin.base import ReadOnlyAdmin, link_to_owner
from payments.effects.models import Effect


@admin.register(Effect)
class EffectAdmin(ReadOnlyAdmin):
    """State "uncertain": the worker died in between, so that it may have happened or not; a person must look."""

    list_display = ("key", "kind", "owner_link", "status", "attempts", "not_before", "delivered_at", "outcome_text")
    list_filter = ("status",)
    list_select_related = ("order", "subscription")
    ordering = ("-id",)
    search_fields = ("key__exact",)

    @admin.display(description=_("outcome"))
    def outcome_text(self, effect: Effect) -> str:
        """Our own sentences are stored in English; what a server said stays as it is."""
        return gettext(effect.outcome) if effect.outcome else ""

    @admin.display(description=_("order or subscription"), ordering="order")
    def owner_link(self, effect: Effect) -> str:
        return link_to_owner(effect)
