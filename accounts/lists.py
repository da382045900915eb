"""Lists that cost the same with ten million rows: nothing is counted, skipped or sorted further than people leaf."""

from functools import cached_property
from typing import Any, cast

from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest

MOST_ROWS = 1_000


class ShortPaginator(Paginator):
    """Counts and leafs through the first MOST_ROWS rows; to what lies beyond lead a filter, a search and `older`."""

    @cached_property
    def count(self) -> int:
        return min(self._counted, MOST_ROWS)

    @property
    def is_cut(self) -> bool:
        """Whether there are more."""
        return self._counted > MOST_ROWS

    @cached_property
    def _counted(self) -> int:
        rows = cast("QuerySet[Model]", self.object_list)
        return rows.order_by()[: MOST_ROWS + 1].count()


class ShortList(ChangeList):
    """One list as it was asked for. It sorts by what its screen offers (`sortable_by`) and by nothing else."""

    @property
    def before(self) -> str:
        """The parameter that says before which row, by its key, the list begins."""
        return f"{self.lookup_opts.pk.attname}__lt"

    @property
    def older(self) -> str:
        """Where the list goes on after its last page; "" if there is nothing, or its order is not that of the keys."""
        if not (self.is_by_key and self.paginator.is_cut and self.page_num == self.paginator.num_pages):
            return ""
        last = self.result_list[len(self.result_list) - 1]
        return self.get_query_string({self.before: last.pk, PAGE_VAR: None})

    @property
    def newest(self) -> str:
        """Where the list begins anew; "" if it does not begin before a row."""
        return self.get_query_string({self.before: None, PAGE_VAR: None}) if self.before in self.params else ""

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        if self.model_admin.get_sortable_by(request):
            ordering = super().get_ordering(request, queryset)
        else:
            wanted = self.model_admin.get_ordering(request) or self._get_default_ordering()  # type: ignore[attr-defined]
            ordering = self._get_deterministic_ordering(wanted)  # type: ignore[attr-defined]
        self.is_by_key = ordering[0] in ("-pk", f"-{self.lookup_opts.pk.attname}")
        return ordering
