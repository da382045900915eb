"""Who did what, when, why, and before → after: one line in the admin's log for each act and each form that is saved."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import JSONField, Manager, Model, QuerySet
from django.forms import BaseForm
from django.utils.text import capfirst
from django.utils.timezone import localtime

NOTHING = "–"
# Never told, however they change.
SECRET_FIELDS = frozenset({"password", "password1", "password2", "digest", "usable_password", "preview_token"})
Values = dict[str, str]


def values_of(row: Model) -> Values:
    """What the database holds of the row, by the names that people know; nothing where it is gone."""
    fields = {
        field.attname: str(field.verbose_name)
        for field in row._meta.concrete_fields
        if field.attname not in SECRET_FIELDS and not isinstance(field, JSONField)
    }
    found = type(row)._base_manager.filter(pk=row.pk).values(*fields).first() or {}
    return {fields[name]: text_of(value) for name, value in found.items()}


def changes_between(before: Values, after: Values) -> list[str]:
    """ "holds a place: True → False" for each value that differs."""
    names = [name for name in before | after if before.get(name) != after.get(name)]
    return [f"{name}: {before.get(name, NOTHING)} → {after.get(name, NOTHING)}" for name in names]


def form_changes(form: BaseForm) -> list[str]:
    """What somebody has changed on the form, before → after, in the words of the form."""
    names = [name for name in form.changed_data if name not in SECRET_FIELDS and name != "reason"]
    return [f"{_label(form, name)}: {_shown(form, name, before=True)} → {_shown(form, name)}" for name in names]


def asked_for(form: BaseForm) -> list[str]:
    """What somebody has written on a form that changes nothing by itself: an amount, a date."""
    names = [name for name in form.changed_data if name not in SECRET_FIELDS and name != "reason"]
    return [f"{_label(form, name)}: {_shown(form, name)}" for name in names]


def sentence(*parts: object) -> str:
    """The parts that say something, in one line."""
    return " · ".join(text for part in parts if (text := str(part)))


def text_of(value: object) -> str:
    """A value in a line."""
    if value in (None, ""):
        return NOTHING
    if isinstance(value, datetime):
        return f"{localtime(value):%Y-%m-%d %H:%M}"
    if isinstance(value, Manager | QuerySet | list | tuple | set):
        return ", ".join(sorted(str(each) for each in _each(value))) or NOTHING
    return str(value)


def _each(value: Any) -> Iterable[object]:
    return value.all() if isinstance(value, Manager) else value


def _label(form: BaseForm, name: str) -> str:
    field = form.fields.get(name)
    return str(capfirst((field.label if field else None) or name))


def _shown(form: BaseForm, name: str, *, before: bool = False) -> str:
    """Choices by their words; what was written as it was written."""
    field = form.fields[name]
    value: Any = form.get_initial_for_field(field, name) if before else form.cleaned_data.get(name)
    if isinstance(value, str | int) and not isinstance(value, bool) and not before and not hasattr(field, "choices"):
        value = form.data.get(form.add_prefix(name), value)
    queryset = getattr(field, "queryset", None)
    if before and queryset is not None and value not in (None, ""):
        keys = value if isinstance(value, list | tuple) else [value]
        value = [each if isinstance(each, Model) else queryset.filter(pk=each).first() for each in keys]
    words: Mapping[Any, Any] = {} if queryset is not None else dict(getattr(field, "choices", ()) or ())
    return text_of(words.get(value, value) if isinstance(value, str | int) else value)
