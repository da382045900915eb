"""The admin's own doors: they count, refuse and speak as the site's do."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts.doors import changes_a_password, tries_a_password
from accounts.forms import StaffSignInForm


class StaffSite(AdminSite):
    """Where staff work."""

    login_form = StaffSignInForm

    @method_decorator(never_cache)
    @method_decorator(tries_a_password)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().login(request, extra_context)

    @method_decorator(changes_a_password)
    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().password_change(request, extra_context)
