"""Buttons outside a row's own screen: each leads to the page that asks, and is there only for who may press it."""

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
    """An action of a list for one row, which is asked about first; or ("") a plain page."""

    address: str
    words: Label
    action: str = ""
    pk: Any = None


def action_button(request: HttpRequest, row: Model, name: str) -> Button | None:
    """The action of this name on the row's screen; None: the person has no right to it, or it does not apply."""
    screen = admin.site._registry.get(type(row))
    actions = (each for each in getattr(screen, "actions", None) or () if isinstance(each, ScreenAction))
    action = next((each for each in actions if each.name == name), None)
    if action is None or not (action.is_allowed(request) and action.applies_to(row)):
        return None
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_changelist")
    return Button(f"{address}{action.query}", action.label, action.name, row.pk)
