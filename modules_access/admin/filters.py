"""Lists of accesses by what gives them, and by how they stand."""

from typing import Any

from django.contrib import admin
from django.db.models import F, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class SourceFilter(admin.ChoicesFieldListFilter):
    """What gives the access, under the name that the column has."""

    def __init__(self, *about: Any, **more: Any) -> None:
        super().__init__(*about, **more)
        self.title = _("source")


class StateFilter(admin.SimpleListFilter):
    """As the pill says it."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("active", pgettext_lazy("access", "active")),
            ("used_up", pgettext_lazy("access", "used up")),
            ("expired", pgettext_lazy("access", "expired")),
            ("ended", pgettext_lazy("access", "ended")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        at = timezone.now()
        lasts = queryset.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=at), is_active=True)
        match self.value():
            case "active":
                return queryset.open(at)
            case "used_up":
                return lasts.filter(token__used__gte=F("token__max_usage"))
            case "expired":
                return queryset.filter(is_active=True, expires_at__lte=at)
            case "ended":
                return queryset.filter(is_active=False)
        return queryset
