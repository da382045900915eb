"""The one page on which a token or a key is to be read: the answer to the POST that has made it, kept nowhere."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers


class Hidden(str):
    """A text that is told where it is written out, and not where somebody prints what holds it (logs, tracebacks)."""

    def __repr__(self) -> str:
        return "***"


def shown_once(
    screen: admin.ModelAdmin, request: HttpRequest, row: models.Model, secret: str, *, title: str, told: list[str]
) -> TemplateResponse:
    """Show the secret in this response and nowhere else; `told`: sentences about it."""
    context: dict[str, Any] = {
        **screen.admin_site.each_context(request),
        "title": title,
        "opts": screen.opts,
        "row": row,
        "secret": Hidden(secret),
        "told": told,
    }
    response = TemplateResponse(request, "admin/modules_access/shown_once.html", context)
    add_never_cache_headers(response)
    return response
