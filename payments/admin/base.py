"""What the screens share: read-only pages, links, and a list that costs the same with ten million rows."""

import json
from functools import cached_property
from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import connection, models
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

COUNTED_EXACTLY = 10_000


class EstimatingPaginator(Paginator):
    """Takes PostgreSQL's estimate for the size of a large table that nobody has filtered."""

    @cached_property
    def count(self) -> int:
        rows = cast("models.QuerySet[models.Model]", self.object_list)
        estimate = 0 if rows.query.where else estimated_size(rows.model._meta.db_table)
        return estimate if estimate > COUNTED_EXACTLY else rows.count()


def estimated_size(table: str) -> int:
    """How many rows PostgreSQL believes the table to have; -1 if it has never looked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = to_regclass(%s)", [table])
        return int(cursor.fetchone()[0])


class NothingByHand:
    """Nobody adds, edits or deletes these rows by hand: they are what happened."""

    def has_add_permission(self, request: HttpRequest, *_parent: object) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, _obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, _obj: models.Model | None = None) -> bool:
        return False


class ListAdmin(admin.ModelAdmin):
    """A list that is called what it shows and counts nothing that takes long (facets count everything)."""

    list_per_page = 50
    paginator = EstimatingPaginator
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})


class ReadOnlyAdmin(NothingByHand, ListAdmin):
    """A screen to look at."""

    actions: Any = None


class ReadOnlyInline(NothingByHand, admin.TabularInline):
    """Rows that belong to what is shown."""

    extra = 0
    can_delete = False
    show_change_link = True

    class Media:
        css = {"all": ["payments/admin.css"]}


def link_to(row: models.Model | None, text: str = "") -> str:
    """The row's own page."""
    if row is None:
        return "–"
    meta = row._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', address, text or str(row))


def link_to_owner(row: Any) -> str:
    """What it belongs to: an order or a subscription."""
    return link_to(row.order, row.order.number) if row.order else link_to(row.subscription)


def pretty(data: object) -> SafeString:
    """JSON as people read it; every character of it escaped, because strangers wrote it."""
    return format_html("<pre>{}</pre>", json.dumps(data, indent=2, ensure_ascii=False))
