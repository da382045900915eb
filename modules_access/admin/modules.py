"""The screens of modules and of what plans open: added and edited; what somebody holds is not deleted."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Func, IntegerField, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.lists import MOST_ROWS
from accounts.menu import Job
from accounts.pictures.upload import LARGEST_BYTES, PictureField, forget_picture
from modules_access.admin.doctor import DoctorScreens
from modules_access.admin.figures import figures_page
from modules_access.admin.kit import list_of
from modules_access.models import Module, ModuleAccess, PlanOpening
from modules_access.services.follow_plan import request_follow
from payments.admin.kit.display import NONE, amount, tells_of
from payments.admin.kit.money import AmountField, PricedAdmin, PricedForm
from payments.admin.kit.screens import ListAdmin


class ModuleForm(PricedForm):
    """Says in words what Stripe or a browser would refuse."""

    price = AmountField(label=gettext_lazy("Price"), help_text=gettext_lazy("For example 49.00; 0 is free."))

    picture = PictureField(
        label=gettext_lazy("Picture"), help_text=gettext_lazy("JPEG, PNG or WebP; it is scaled by itself.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "picture" in self.fields:
            self.initial["picture"] = self.instance.picture

    def clean_price(self) -> int:
        return self.clean_money()

    def clean_url(self) -> str:
        """Who reads the address on its way reads the token in it."""
        address = str(self.cleaned_data["url"])
        if settings.PRODUCTION and not address.startswith("https://"):
            raise ValidationError(_("People are sent there with a token: the address must begin with https://."))
        return address


@admin.register(Module)
class ModuleAdmin(PricedAdmin, DoctorScreens):
    """What can be bought, subscribed to or given."""

    job, position = Job.LEARNING, 0
    actions = None
    change_list_template = "admin/modules_access/module/change_list.html"
    form = ModuleForm
    takes_files = LARGEST_BYTES
    add_text = gettext_lazy("Add a module")
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    list_display = ("title", "slug", "price_shown", "access_days", "is_on_sale", "active_shown", "position")
    sortable_by = None  # few rows
    list_filter = ("is_on_sale",)
    ordering = ("position", "slug")
    search_fields = ("title", "slug", "external_id__exact")
    fields = (
        "title", "slug", "summary", "description", "picture", ("price", "currency"), "access_days", "url",
        ("is_on_sale", "position"), ("active_shown", "external_id"),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return with_active(super().get_queryset(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Module | None = None) -> tuple[str, ...]:
        """Another address would be another audience: tokens that are on their way would open nothing."""
        return ("active_shown", "external_id", "slug") if obj else ("active_shown", "external_id")

    def get_prepopulated_fields(self, request: HttpRequest, obj: Module | None = None) -> dict[str, Sequence[str]]:
        return {} if obj else {"slug": ("title",)}

    def has_delete_permission(self, request: HttpRequest, obj: Module | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and is_used(obj))

    def get_urls(self) -> list[URLPattern]:
        own = path("figures/", self.admin_site.admin_view(self.figures_view), name="modules_access_figures")
        return [own, *super().get_urls()]

    def figures_view(self, request: HttpRequest) -> HttpResponse:
        """What was created, withdrawn and verified in a period."""
        return figures_page(self, request, at=timezone.now())

    def save_model(self, request: HttpRequest, obj: Module, form: Any, change: bool) -> None:
        """A new module is opened by the plans that open all, and so to those who have subscribed to them."""
        before = Module.objects.get(pk=obj.pk).picture if change and "picture" in form.changed_data else None
        obj.save(update_fields=form.changed_data if change else None)
        if before != obj.picture:
            forget_picture(before)
        if not change:
            request_follow(plan_id=None, at=timezone.now())
            text = _("The plans that include all modules include it too: their subscribers get access shortly.")
            messages.info(request, text)

    @admin.display(description=gettext_lazy("price"), ordering="price")
    def price_shown(self, module: Module) -> str:
        return amount(module.price_text) if module.price else _("free of charge")

    @tells_of("modules_access.moduleaccess", description=gettext_lazy("accesses active now"), ordering="active")
    def active_shown(self, module: Module) -> str | SafeString:
        if not module.pk:
            return NONE
        address = list_of("moduleaccess", module__id__exact=module.pk, state="active")
        active = cast(Any, module).active
        told = active if active <= MOST_ROWS else _("more than %(count)s") % {"count": number_format(MOST_ROWS)}
        return format_html('<a href="{}">{}</a>', address, told)


def with_active(modules: QuerySet[Module]) -> QuerySet[Module]:
    """Each with `active`, how many accesses let somebody in now, counted as far as lists count."""
    rows = ModuleAccess.objects.open(timezone.now()).filter(module=OuterRef("pk")).order_by()
    some = ArraySubquery(rows.values("pk")[: MOST_ROWS + 1])
    return modules.annotate(active=Func(some, function="cardinality", output_field=IntegerField()))


def is_used(module: Module) -> bool:
    """Whether somebody has bought it or begun to, holds it, or calls us for it."""
    used = Q(purchases__isnull=False) | Q(tokens__isnull=False) | Q(service_keys__isnull=False)
    held = ModuleAccess.objects.filter(module=module).exists()
    return held or Module.objects.filter(used, pk=module.pk).exists()


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

    job, position = Job.LEARNING, 3
    actions = None
    form = OpeningForm
    add_text = gettext_lazy("Choose the modules of a plan")
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
            text = _(
                "The subscriptions of this plan are updated in the background: new modules open, removed ones close."
            )
            messages.info(request, text)

    @admin.display(description=gettext_lazy("what it means"))
    def sentence(self, opening: PlanOpening) -> str:
        if not opening.pk:
            return _("A plan that is not listed here opens all modules.")
        if opening.is_all:
            return _("Opens all modules, later ones too.")
        return _opens_text([str(module) for module in sorted(opening.modules.all(), key=_position)])


def _opens_text(titles: list[str]) -> str:
    if not titles:
        return _("Opens no module.")
    values = {"count": len(titles), "titles": ", ".join(titles)}
    return ngettext("Opens %(count)d module: %(titles)s.", "Opens %(count)d modules: %(titles)s.", len(titles)) % values


def _position(module: Module) -> tuple[int, str]:
    return module.position, module.slug
