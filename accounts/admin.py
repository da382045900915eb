"""The people's screen: who may sign in, and who may do what. Rights, and who has any, are for superusers alone."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as StockGroupAdmin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.forms import CharField, ChoiceField, ModelForm, ModelMultipleChoiceField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.hooks import Ending, billed_to, end_billing, follow_account
from accounts.models import User
from accounts.personal import people_called, sees_people, shown_name
from accounts.shop.admin import ShopAdmin
from accounts.staff_site import Job, StaffScreen
from accounts.trace import asked_for, form_changes, sentence

__all__ = ["GroupAdmin", "ShopAdmin", "UserAdmin"]
RIGHTS_FIELDS = ("is_staff", "is_superuser", "groups", "user_permissions")
# What is not changed without a reason.
REASONED_FIELDS = ("email", "is_active", *RIGHTS_FIELDS)
admin.site.unregister(Group)


class NewUserForm(AdminUserCreationForm):
    """An address and a password."""

    class Meta:
        model = User
        fields = ("email",)


class PersonForm(UserChangeForm):
    """Whoever is switched off can end nothing any more: the form asks what becomes of what they go on paying for.

    Where somebody else decides how a person signs in, whether they do, and what they may, the form asks why.
    """

    reason = CharField(
        label=_("Reason"), required=False, max_length=500,
        help_text=_("Needed for another address, to switch the account on or off, and for rights. Kept for later."),
    )  # fmt: skip
    ending = ChoiceField(
        label=_("If the account is switched off: what goes on being billed"), required=False,
        choices=[("", "---------"), *Ending.choices],
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if is_switched_off(self) and not data.get("ending") and (billed := billed_to(self.instance)):
            told = gettext("%(names)s goes on being billed: choose what becomes of it.") % {"names": ", ".join(billed)}
            self.add_error("ending", told)
        if not data.get("reason", "").strip() and any(name in self.changed_data for name in REASONED_FIELDS):
            self.add_error("reason", gettext("Please say why."))
        return data


def is_switched_off(form: ModelForm) -> bool:
    """Whether the person may sign in until now, and not from now on."""
    return "is_active" in form.changed_data and not form.cleaned_data.get("is_active", True)


def _only_to_look_at(fields: Iterable[Any]) -> tuple[Any, ...]:
    """What the form would ask is left out, and the name is written as one may see it."""
    return tuple("name_text" if name == "name" else name for name in fields if name not in ("reason", "password"))


# What Django allows with every kind of row.
USUAL_ACTS = {"add": _("may add"), "change": _("may change"), "delete": _("may delete"), "view": _("may look at")}


def right_in_words(right: Permission) -> str:
    """ "Orders: can refund orders", in the reader's language; Django's own name of it is English and stored."""
    model = right.content_type.model_class()
    rows = capfirst(str(model._meta.verbose_name_plural)) if model else right.content_type.model
    act = right.codename.partition("_")[0]
    is_usual = act in USUAL_ACTS and right.codename == f"{act}_{right.content_type.model}"
    told = USUAL_ACTS[act] if is_usual else gettext(right.name)
    return gettext("%(rows)s: %(act)s") % {"rows": rows, "act": told[:1].lower() + told[1:]}


class RightsInWords(admin.options.BaseModelAdmin):
    """Offers rights by what they allow."""

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if isinstance(field, ModelMultipleChoiceField) and db_field.related_model is Permission:
            field.label_from_instance = right_in_words  # type: ignore[assignment]
        return field


@admin.register(User)
class UserAdmin(RightsInWords, StaffScreen, StockUserAdmin):
    """People are switched off rather than deleted: what they did names them."""

    job, position = Job.PEOPLE, 1
    form = PersonForm
    add_text: str | Promise = _("Add a person")
    add_form = NewUserForm
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),)
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        (_("Person"), {"fields": ("name", "language", "external_id")}),
        (_("Rights"), {"fields": ("is_active", *RIGHTS_FIELDS)}),
        (_("Dates"), {"fields": ("email_confirmed_at", "last_login", "date_joined")}),
        (None, {"fields": ("reason",)}),
    )
    list_display = ("email", "name_text", "is_active", "is_staff", "is_superuser", "email_confirmed_at", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active")
    ordering = ("email",)
    readonly_fields = ("name_text", "external_id", "email_confirmed_at", "last_login", "date_joined")
    search_fields = ("email", "name")

    def found(self, term: str) -> Q | None:
        return Q(email=term.lower()) if "@" in term else Q(external_id=term)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Who may not do everything gives nobody rights."""
        hidden = () if request.user.is_superuser else RIGHTS_FIELDS
        return (*self.readonly_fields, *hidden)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """What becomes of subscriptions is asked where there are some, beside the switch."""
        sets = super().get_fieldsets(request, obj)
        if obj and not self.has_change_permission(request, obj):
            return [(name, {**options, "fields": _only_to_look_at(options["fields"])}) for name, options in sets]
        if obj is None or not (obj.is_active and billed_to(obj)):
            return sets
        return [
            (name, {**options, "fields": ("is_active", "ending", *RIGHTS_FIELDS)} if "is_active" in fields else options)
            for name, options in sets
            for fields in [options["fields"]]
        ]

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        """Another address is one that nobody has confirmed. What others know of the person follows."""
        if change and "email" in form.changed_data:
            obj.email_confirmed_at = None
        super().save_model(request, obj, form, change)
        at = timezone.now()
        if change and is_switched_off(form) and (ending := form.cleaned_data.get("ending")):
            end_billing(obj, Ending(ending), by=request.user.get_username(), at=at)
        if change:
            follow_account(obj, at=at)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody takes over the account of somebody who may do more: neither by its address nor by its password.

        Who sees people only masked edits nobody, or the mask would be saved.
        """
        is_out_of_reach = obj is not None and obj.has_any_rights and not request.user.is_superuser
        return not is_out_of_reach and sees_people(request.user) and super().has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return sees_people(request.user) and super().has_add_permission(request)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """Which name somebody had before is told there."""
        if not sees_people(request.user):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        told = asked_for(form) if add else form_changes(form)
        return sentence(gettext("Added") if add else "", form.cleaned_data.get("reason", ""), *told)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        return (queryset.filter(people_called(term) | Q(external_id=term)) if term else queryset), False

    @admin.display(description=_("name"), ordering="name")
    def name_text(self, user: User) -> str:
        return shown_name(user.name)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


@admin.register(Group)
class GroupAdmin(RightsInWords, StaffScreen, StockGroupAdmin):  # type: ignore[misc]  # Django names an argument otherwise
    """Whoever could change a group would give all of its rights to all of its people, and to themselves."""

    job, position = Job.PEOPLE, 2

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser
