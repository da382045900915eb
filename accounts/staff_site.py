"""The staff's site: pages beside the screens of models, and a menu of all of them by job, with what waits at each.

A page of one's own is a function, decorated; a screen of rows is a StaffScreen, which states its place by `job`:

    @staff_page("dashboard/", name="dashboard", title=_("Dashboard"), job=Job.DASHBOARD, permission="app.view_model")
    def dashboard(request: HttpRequest) -> HttpResponse:
        context = staff_context(request, title=_("Dashboard"), figures=read_figures())
        return TemplateResponse(request, "admin/payments/dashboard.html", context)  # extends admin/kit/page.html
"""

from collections.abc import Callable, Iterable
from functools import cache, wraps
from typing import Any, ClassVar, TypeVar, cast

import structlog
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, FieldDoesNotExist, PermissionDenied, ValidationError
from django.db import DataError
from django.db.models import DateTimeField, ManyToManyField, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page

from accounts.doors import changes_a_password, tries_a_password
from accounts.find import Finder, find_page
from accounts.forms import StaffSignInForm
from accounts.lists import ShortList, ShortPaginator
from accounts.menu import LAST_POSITION, Count, Job, StaffPage, build_menu, current_trail
from accounts.moments import moment
from accounts.personal import masking
from accounts.shop.identity import current_shop

__all__ = ["Job", "StaffScreen", "StaffSite", "staff_context", "staff_page"]

NONE = "–"
log = structlog.get_logger(__name__)
View = Callable[..., Any]
Page = TypeVar("Page", bound=Callable[..., HttpResponseBase])
PAGES: list[StaffPage] = []


def staff_page(
    route: str, *, name: str, title: str | Promise, job: Job | None, permission: str = "", count: Count | None = None,
    position: int = 0,
) -> Callable[[Page], Page]:  # fmt: skip
    """Make the decorated view `admin:<name>` at /admin/<route>, in the menu under its job (None: not in the menu).

    `permission`: without it 403, and no entry ("": all staff). `count(request)`: how many wait there, cheaply, or the
    rows that the menu is to count; None: no number. `position`: among the entries of its job; 0 leads. The route ""
    with the name "index" is the first page.
    """

    def register(view: Page) -> Page:
        @wraps(view)
        def permitted(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if permission and not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        PAGES.append(StaffPage(route, name, title, job, permission, count, position, permitted))
        return view

    return register


def staff_context(
    request: HttpRequest, *, title: str | Promise, parents: Iterable[tuple[str, str]] = (), **more: Any
) -> dict[str, Any]:
    """What a page that extends `admin/kit/page.html` needs. `parents`: address and words of pages between it and its
    entry in the menu; `more`: what it shows.
    """
    return {**admin.site.each_context(request), "title": title, "parents": list(parents), **more}


def refusing_odd_values(view: View) -> View:
    """The view, which answers with 400 where an address or a form has a value of which nothing can be made."""
    is_list = getattr(view, "__name__", "") == "changelist_view"
    # What a list is asked for becomes SQL only after Django has looked at it, in the words of the database's driver.
    odd = (DataError, ValueError, TypeError, OverflowError) if is_list else (DataError,)

    @wraps(view)
    def refusing(request: HttpRequest, *args: object, **kwargs: object) -> Any:
        if is_list and request.method == "POST":
            require_readable_rows(cast(Any, view).__self__, request)
        try:
            return view(request, *args, **kwargs)
        except odd as error:
            # What an action stumbles over is our own mistake, unless the database says otherwise.
            if request.method != "GET" and not isinstance(error, DataError):
                raise
            log.warning("admin.odd_value", path=request.path, error=type(error).__name__)
            raise BadRequest("A value is none that this page knows.") from None

    return refusing


def require_readable_rows(screen: admin.ModelAdmin, request: HttpRequest) -> None:
    """Raise BadRequest where what was chosen for an action can be no key of a row."""
    try:
        for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
            screen.opts.pk.to_python(key)
    except ValidationError:
        raise BadRequest("What was chosen is no row of this list.") from None


class GuardedSite(admin.AdminSite):
    """The admin with doors of its own: they count, refuse and speak as the site's do."""

    login_form = StaffSignInForm

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        return super().admin_view(gzip_page(masking(refusing_odd_values(view))), cacheable)

    @method_decorator(never_cache)
    @method_decorator(tries_a_password)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().login(request, extra_context)

    @method_decorator(changes_a_password)
    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().password_change(request, extra_context)


class MomentInput(forms.DateTimeInput):
    """A moment, picked with what the browser has for it: one labelled field and no script."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%dT%H:%M")


class StaffScreen(admin.ModelAdmin):
    """A screen of rows. `job`, `position`: where it stands in the menu; 0 leads the entries of its job."""

    job: Job = Job.TECHNICAL
    position: int = LAST_POSITION
    empty_value_display = NONE
    # A list that may become long offers what an index gives: its own order, and no filter but one with an index.
    paginator = ShortPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by: ClassVar[Any] = ()
    formfield_overrides = {
        DateTimeField: {"form_class": forms.DateTimeField, "widget": MomentInput},
        ManyToManyField: {"widget": forms.CheckboxSelectMultiple},
    }

    @property
    def media(self) -> forms.Media:
        """What a list needs. All else of Django's, 80 kB of it, is for forms (`render_change_form`)."""
        return forms.Media(js=["admin/js/actions.js"])

    def waiting_rows(self, request: HttpRequest) -> QuerySet | None:
        """Rows that wait for somebody, found by an index: their number stands in the menu. None: no number."""
        return None

    def named(self, term: str) -> Q | None:
        """What finds the row whose own name, number or id this is, by an index; None: no row is called so."""
        return None

    def found(self, term: str) -> Q | None:
        """What finds all rows to which this leads, by indexes; None: there are none, or too many to look for."""
        return self.named(term)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return ShortList

    def get_list_display(self, request: HttpRequest) -> Any:
        """Moments as people say them."""
        return [moment_column(self.opts, name) for name in super().get_list_display(request)]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context.get("original")
        if self.has_add_permission(request) if row is None else self.has_change_permission(request, row):
            context["media"] = super().media + context["media"]
        return super().render_change_form(request, context, *args, **kwargs)


@cache
def moment_column(opts: Any, name: Any, *, is_exact: bool = False) -> Any:
    """The name of a column; of a moment a column that tells it as people do."""
    try:
        column = opts.get_field(name) if isinstance(name, str) else None
    except FieldDoesNotExist:
        return name
    if not isinstance(column, DateTimeField):
        return name

    @admin.display(description=column.verbose_name, ordering=name)
    def told(row: Any) -> str:
        at = getattr(row, name)
        return moment(at, is_exact=is_exact) if at else NONE

    told.__name__ = name
    return told


class StaffSite(GuardedSite):
    """Where staff work."""

    # Our own stands in its place.
    enable_nav_sidebar = False
    # Asked first with what somebody looks for: answers with a page of its own, or None: then the screens are searched.
    # Set where it is defined (`admin.site.finder = …`); accounts.find gives it what the screens find.
    finder: Finder | None = None

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Our own pages come first: they may take the place of Django's."""
        own = [path(page.route, self.admin_view(page.view), name=page.name) for page in PAGES]
        find = path("find/", self.admin_view(self.find_view), name="find")
        return [*own, find, *super().get_urls()]

    def get_app_list(self, request: Any, app_label: str | None = None) -> list[Any]:
        """Nobody works by apps: there is the menu."""
        return []

    def app_index(self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None) -> Any:
        return HttpResponseRedirect(reverse("admin:index"))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The menu as a page; `staff_page("", name="index", …)` takes its place."""
        return super().index(request, {"title": _("All pages"), **(extra_context or {})})

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """Whatever somebody has typed or pasted: the one row that is called so, or all to which it leads."""
        return find_page(self, request)

    def each_context(self, request: Any) -> dict[str, Any]:
        name = _("%(shop)s – Staff") % {"shop": current_shop().name or settings.SITE_NAME}
        menu = build_menu(request, self._registry, PAGES) if self.has_permission(request) else []
        return {
            **super().each_context(request),
            "site_title": name,
            "site_header": name,
            "menu": menu,
            "trail": current_trail(menu),
            "is_live": settings.STRIPE_LIVEMODE,
            "version": settings.VERSION,
            "environment": settings.ENVIRONMENT,
        }
