"""An activity's participants: as a table to download, and as a list that prints for the door."""

from typing import Any

import structlog
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.personal import sees_people
from payments.admin.kit.tables import csv_response
from registrations.models import Activity
from registrations.services.participants import participant_table, participants_of

log = structlog.get_logger(__name__)
EXPORT, PRINT = "registrations.export_participants", "registrations.print_participants"


class ParticipantScreens(admin.ModelAdmin):
    """Two pages below an activity. Whoever sees people only masked sees neither: of what use were it."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/participants.csv", wrap(self.export_view), name="registrations_activity_export"),
            path("<int:pk>/participants/", wrap(self.door_view), name="registrations_activity_door"),
            *super().get_urls(),
        ]

    def export_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Everybody who holds a place, as CSV."""
        activity = self._activity(request, pk, EXPORT)
        log.info("participants.exported", activity=activity.slug, by=request.user.pk)
        # Written line by line after this: in the language of who asks.
        rows = participant_table(activity)
        return csv_response(rows, filename=f"{activity.slug}-{timezone.localdate():%Y-%m-%d}.csv")

    def door_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Names with a box to tick."""
        activity = self._activity(request, pk, PRINT)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("List for the door"),
            "opts": self.opts,
            "activity": activity,
            "participants": list(participants_of(activity)),
            "printed_at": timezone.now(),
            "language": get_language(),
        }
        return TemplateResponse(request, "admin/registrations/activity/door.html", context)

    def participant_links(self, request: HttpRequest, activity: Activity) -> list[tuple[str, str]]:
        """The way to both, for who may go there."""
        pages = [
            (PRINT, "admin:registrations_activity_door", _("List for the door")),
            (EXPORT, "admin:registrations_activity_export", _("Participants (CSV)")),
        ]
        return [(reverse(page, args=[activity.pk]), words) for right, page, words in pages if _may(request, right)]

    @staticmethod
    def _activity(request: HttpRequest, pk: int, permission: str) -> Activity:
        """Raises PermissionDenied, Http404."""
        if not _may(request, permission):
            raise PermissionDenied
        activity = Activity.objects.filter(pk=pk).first()
        if activity is None:
            raise Http404
        return activity


def _may(request: HttpRequest, permission: str) -> bool:
    return request.user.has_perm(permission) and sees_people(request.user)
