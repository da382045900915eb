"""The screen "Shop": one form, since there is one row. What is saved is on the site within seconds."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db import models, transaction
from django.forms import ModelForm, Textarea
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.pictures.upload import LARGEST_BYTES, PictureField, forget_picture
from accounts.shop.colours import NIGHT_GROUND, WHITE, by_day, by_night
from accounts.shop.identity import forget
from accounts.shop.models import SHOP_ID, Shop, ShopPage
from accounts.staff_site import NONE, Job, StaffScreen
from accounts.trace import form_changes, sentence


def _texts(code: str) -> tuple[str, ...]:
    return tuple(f"{page.column}_{code}" for page in ShopPage)


class ShopForm(ModelForm):
    """A file becomes the logo."""

    logo = PictureField(
        label=gettext_lazy("Logo"),
        help_text=gettext_lazy("At the head of every page, beside the name. A transparent PNG suits light and dark."),
    )

    class Meta:
        model = Shop
        fields = ("logo",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "logo" in self.fields:
            self.initial["logo"] = self.instance.logo


@admin.register(Shop)
class ShopAdmin(StaffScreen):
    """There is always exactly one: it is neither added nor deleted, and a list of it would say nothing."""

    job, position = Job.SHOP, 0
    actions = None
    form = ShopForm
    takes_files = LARGEST_BYTES
    formfield_overrides = {
        **StaffScreen.formfield_overrides,
        models.TextField: {"widget": Textarea(attrs={"rows": 10, "class": "vLargeTextField"})},
    }
    readonly_fields = ("accent_preview",)
    fieldsets = (
        (gettext_lazy("Name and look"), {"fields": ("name", "logo", "accent", "accent_preview")}),
        (gettext_lazy("Contact"), {"fields": ("email", "phone", "legal_entity", "address")}),
        (gettext_lazy("Texts in English"), {"fields": _texts("en"), "description": gettext_lazy(
            "Shown at the foot of every public page and beside the buttons that cost money, as soon as there is a "
            "text. “# ” begins a heading, “- ” a line of a list; an empty line ends a paragraph."
        )}),
        (gettext_lazy("Texts in French"), {"fields": _texts("fr")}),
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Shop | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The form itself."""
        address = reverse("admin:accounts_shop_change", args=[SHOP_ID])
        return self.changeform_view(request, str(SHOP_ID), address, extra_context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Shop | None:
        """Before anybody has filled it in, an empty one."""
        if object_id != str(SHOP_ID):
            return None
        return super().get_object(request, object_id, from_field) or Shop()

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context |= {"title": _("Shop"), "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Shop, form: Any, change: bool) -> None:
        """Other processes see it within seconds, this one at once."""
        before = Shop.objects.filter(pk=obj.pk).first() if "logo" in form.changed_data else None
        super().save_model(request, obj, form, change)
        if before and before.logo != obj.logo:
            forget_picture(before.logo)
        transaction.on_commit(partial(forget))

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return sentence(*form_changes(form))

    @admin.display(description=gettext_lazy("how a button looks"))
    def accent_preview(self, shop: Shop) -> str | SafeString:
        """By day and by night; presentation attributes need no inline style."""
        if not shop.accent:
            return NONE
        day, night = by_day(shop.accent), by_night(shop.accent)
        return format_html(
            '<svg class="accent" width="320" height="64" role="img" aria-label="{}">'
            '<rect width="160" height="64" fill="{}"/><rect x="160" width="160" height="64" fill="{}"/>'
            '<rect x="24" y="12" width="112" height="40" rx="8" fill="{}"/>'
            '<rect x="184" y="12" width="112" height="40" rx="8" fill="{}"/>'
            '<text x="80" y="37" text-anchor="middle" font-weight="650" fill="{}">{}</text>'
            '<text x="240" y="37" text-anchor="middle" font-weight="650" fill="{}">{}</text></svg>',
            _("A button by day and by night"), WHITE, NIGHT_GROUND, day.accent, night.accent,
            day.on_accent, _("Pay"), night.on_accent, _("Pay"),
        )  # fmt: skip
