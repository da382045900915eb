"""The screens' base: lists that cost the same with ten million rows, read-only pages, buttons on the page of a row."""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from accounts.staff_site import Job, StaffScreen
from accounts.trace import asked_for, form_changes, sentence
from payments.admin.kit.actions import ScreenAction, Text
from payments.admin.kit.buttons import row_buttons
from payments.admin.kit.display import NONE, shown_column


class PermittedColumns(admin.options.BaseModelAdmin):
    """Leaves out what tells of rows that somebody may not see on their own screen (`tells_of`)."""

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.permitted(super().get_fields(request, obj), request)

    def permitted(self, names: Iterable[Any], request: HttpRequest) -> list[Any]:
        """Of the names, or groups of names, those whose columns may be shown."""
        groups = (self.permitted(each, request) if isinstance(each, list | tuple) else each for each in names)
        return [each for each in groups if each and (isinstance(each, list) or self._is_permitted(each, request))]

    def _is_permitted(self, name: Any, request: HttpRequest) -> bool:
        models = getattr(getattr(self, str(name), None), "tells_of", ())
        return all(may_see(request, model) for model in models)


def may_see(request: HttpRequest, label: str) -> bool:
    """Whether who asks may see the screen of these rows ("payments.order")."""
    app, model = label.lower().split(".")
    return any(request.user.has_perm(f"{app}.{what}_{model}") for what in ("view", "change"))


def is_page(request: HttpRequest) -> bool:
    """Whether one row is asked for, not a list."""
    match = request.resolver_match
    return bool(match and match.url_name and match.url_name.endswith("_change"))


class StaffActions(PermittedColumns, StaffScreen):
    """Offers each action to who has its right: in the list, and as a button on the page of a row."""

    change_form_template = "admin/kit/change_form.html"
    # What the button says that leads to a new row: "Add an activity".
    add_text: Text = ""

    def get_list_display(self, request: HttpRequest) -> Any:
        names = self.permitted(super().get_list_display(request), request)
        return [shown_column(self.opts, name) for name in names]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found: dict[str, Any] = super().get_actions(request)
        return {name: entry for name, entry in found.items() if _is_allowed(entry[0], request)}

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        # "Change activity" needs an article in other languages.
        row = context.get("original")
        context["title"] = self.add_text if row is None else self.row_title(request, row)
        if row is not None:
            context["row_buttons"] = list(row_buttons(request, row))
            context["row_links"] = self.row_links(request, row)
            context["inline_admin_formsets"] = [each for each in context["inline_admin_formsets"] if _has_rows(each)]
        return super().render_change_form(request, context, *args, **kwargs)

    def row_title(self, request: HttpRequest, row: Any) -> str:
        """What the page of a row is called."""
        return capfirst(str(self.opts.verbose_name))

    def row_links(self, request: HttpRequest, row: Any) -> Iterable[tuple[str, str]]:
        """Address and words of what one may want to look at from here."""
        return ()


def _has_rows(inline: Any) -> bool:
    """Whether there is anything to see: an empty table says nothing."""
    return not isinstance(inline.opts, ReadOnlyInline) or bool(inline.formset.forms)


def _is_allowed(action: Any, request: HttpRequest) -> bool:
    return not isinstance(action, ScreenAction) or action.is_allowed(request)


class ListAdmin(StaffActions):
    """A list that is called what it shows.

    What is saved on its form leaves who, when, why (where the form asks) and before → after in the row's history.
    """

    list_per_page = 50

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        told = asked_for(form) if add else form_changes(form)
        return sentence(_("Added") if add else "", form.cleaned_data.get("reason", ""), *told)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Of what the address proposes for a new row that which can be read."""
        proposed = super().get_changeform_initial_data(request)
        return {name: value for name, value in proposed.items() if _is_readable(self.opts, name, value)}

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """One index each: a search over all of them at once would read the whole table."""
        term = search_term.strip()
        if condition := self.search_condition(term):
            return queryset.filter(condition), False
        # Addresses are kept in lower case, Stripe's ids are not.
        return super().get_search_results(request, queryset, term.lower() if "@" in term else term)

    def search_condition(self, term: str) -> Q | None:
        """What finds the rows that people call so; None: `search_fields` do."""
        return None

    def found(self, term: str) -> Q | None:
        """As the search of the list, as far as it takes whole names; the technical tables are no answer."""
        if self.job == Job.TECHNICAL:
            return None
        whole = [field for field in self.search_fields if field.endswith("__exact")]
        own = term.lower() if "@" in term else term
        return self.search_condition(term) or reduce(or_, (Q(**{field: own}) for field in whole), Q()) or None


def _is_readable(opts: Any, name: str, value: Any) -> bool:
    try:
        read = opts.get_field(name).to_python(value)
    except (FieldDoesNotExist, ValidationError, ValueError, TypeError):
        return False
    # A moment is asked for in two fields, which know no text.
    return not isinstance(read, datetime)


class NoManualChanges:
    """Nobody edits or deletes these rows by hand: they are what happened.

    `add_permission`: the right to have one made by a service, on a form of its own ("": nobody).
    """

    add_permission = ""

    def has_add_permission(self, request: HttpRequest, *_parent: object) -> bool:
        return bool(self.add_permission) and request.user.has_perm(self.add_permission)

    def has_change_permission(self, request: HttpRequest, _obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, _obj: models.Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(NoManualChanges, ListAdmin):
    """A screen to look at, and to ask services for something."""

    actions: Any = None

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What is only looked at reads as people say it."""
        sets = super().get_fieldsets(request, obj)
        if obj is None:
            return sets
        return [(name, {**options, "fields": _shown(self.opts, options["fields"])}) for name, options in sets]


def _shown(opts: Any, names: Iterable[Any]) -> list[Any]:
    return [
        _shown(opts, each) if isinstance(each, list | tuple) else shown_column(opts, each, is_exact=True)
        for each in names
    ]


class ReadOnlyInline(NoManualChanges, PermittedColumns, admin.TabularInline):
    """Rows that belong to what is shown."""

    template = "admin/kit/rows.html"
    empty_value_display = NONE

    extra = 0
    can_delete = False
    show_change_link = True

    @property
    def media(self) -> forms.Media:
        """Nothing: there is nothing to fill in."""
        return forms.Media()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return _shown(self.opts, super().get_fields(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Also the columns that are functions: no form can have them."""
        return [*super().get_readonly_fields(request, obj), *filter(callable, self.get_fields(request, obj))]
