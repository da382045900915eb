"""The admin's own doors: they count, refuse and speak as the site's do."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

import structlog
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, ValidationError
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts.doors import changes_a_password, tries_a_password
from accounts.forms import StaffSignInForm

log = structlog.get_logger(__name__)
View = Callable[..., Any]


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


def require_readable_rows(screen: ModelAdmin, request: HttpRequest) -> None:
    """Raise BadRequest where what was chosen for an action can be no key of a row."""
    try:
        for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
            screen.opts.pk.to_python(key)
    except ValidationError:
        raise BadRequest("What was chosen is no row of this list.") from None


class StaffSite(AdminSite):
    """Where staff work."""

    login_form = StaffSignInForm

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        return super().admin_view(refusing_odd_values(view), cacheable)

    @method_decorator(never_cache)
    @method_decorator(tries_a_password)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().login(request, extra_context)

    @method_decorator(changes_a_password)
    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().password_change(request, extra_context)
