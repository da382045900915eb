"""Buttons for rows: each leads to the page that asks, and is there only for who may press it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from payments.admin.kit.actions import ScreenAction
from payments.products import Label


@dataclass(frozen=True, slots=True)
class Button:
    """An action of a list for one row, which is asked about first; or ("") a plain page. See `kit/button.html`."""

    address: str
    words: Label
    action: str = ""
    pk: Any = None


def row_buttons(request: HttpRequest, row: Model) -> Iterator[Button]:
    """The actions of the row's screen that this person has the right to and that apply to the row."""
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_changelist")
    screen = admin.site._registry.get(type(row))
    for action in getattr(screen, "actions", None) or ():
        if isinstance(action, ScreenAction) and action.is_allowed(request) and action.applies_to(row):
            yield Button(f"{address}{action.query}", action.label, action.name, row.pk)


def action_button(request: HttpRequest, row: Model, name: str) -> Button | None:
    """The action of this name among them; None: the person has no right to it, or it does not apply."""
    return next((each for each in row_buttons(request, row) if each.action == name), None)
