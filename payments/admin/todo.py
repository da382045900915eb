"""To do, the first page of the staff: what needs a person, each in one sentence with one button."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.staff_site import Job, staff_context, staff_page
from payments.admin.kit.buttons import Button, action_button
from payments.admin.kit.display import page_of
from payments.admin.kit.screens import may_see
from payments.todo import (
    Page,
    Todo,
    TodoItem,
    count_todo,
    done_since,
    find_todo,
    settled_at,
    start_of_day,
    waiting_rows,
)
from payments.todo.sources import COUNTED_AT_MOST


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to do as this person may see it. `page`: where more is told, "" if they may not see that."""

    item: TodoItem
    page: str
    age: str
    button: Button | None


def waiting(request: HttpRequest) -> list[QuerySet]:
    """What needs somebody, as far as this person may see it: counted for the menu of every page."""
    found = waiting_rows(partial(may_see, request), at=timezone.now())
    return [rows for _source, rows in found if isinstance(rows, QuerySet)]


@staff_page("", name="index", title=gettext_lazy("To do"), job=Job.TODO, count=waiting)
def todo(request: HttpRequest) -> HttpResponse:
    at = timezone.now()
    found = find_todo(count_todo(partial(may_see, request), at=at), at=at)
    context = staff_context(
        request, title=_("To do"), lines=[line_of(request, item, at=at) for item in found.items], more=_more(found),
        lists=list(_lists(found)), **({} if found.items else _nothing(request, at)),
    )  # fmt: skip
    return TemplateResponse(request, "admin/payments/todo.html", context)


def line_of(request: HttpRequest, item: TodoItem, *, at: datetime) -> Line:
    """The item with the button that this person may press, if there is one."""
    page = page_of(item.row) if item.row is not None and may_see(request, item.row._meta.label) else ""
    buttons = (_button(request, item.row, act) for act in item.acts)
    return Line(item, page, timesince(item.since, at, depth=1), next(filter(None, buttons), None))


def _button(request: HttpRequest, row: Model | None, act: str | Page) -> Button | None:
    """None: the person has no right to it, or it does not apply to the row."""
    if isinstance(act, Page):
        return Button(act.address, act.words) if request.user.has_perm(act.permission) else None
    return action_button(request, row, act) if row is not None else None


def _more(found: Todo) -> str:
    if any(number > COUNTED_AT_MOST for _source, number in found.counts):
        return _("and more than %(count)d more") % {"count": COUNTED_AT_MOST}
    return _("and %(count)d more") % {"count": found.more} if found.more else ""


def _lists(found: Todo) -> Iterable[tuple[str, str]]:
    """Where all of each kind stand, with their number."""
    for source, number in found.counts:
        name, query = source.listed_at
        if name:
            yield f"{reverse(name)}?{query}", f"{source.title} ({min(number, COUNTED_AT_MOST)})"


def _nothing(request: HttpRequest, at: datetime) -> dict[str, Any]:
    """What stands on the page when nothing needs anybody."""
    since = settled_at()
    told = _("Nothing needs you since %(moment)s") % {"moment": _moment(since, at=at)} if since else ""
    return {"nothing": told or _("Nothing needs you"), "done": done_since(start_of_day(at), partial(may_see, request))}


def _moment(since: datetime, *, at: datetime) -> str:
    """ "14:05", or with its day where that is not today."""
    local = timezone.localtime(since)
    is_today = local.date() == timezone.localtime(at).date()
    return date_format(local, "TIME_FORMAT" if is_today else "SHORT_DATETIME_FORMAT")
