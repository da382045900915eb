"""`/account/`: what the person has from us, and what we know of them."""

from typing import Any, cast

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from accounts.forms import DetailsForm
from accounts.models import User
from accounts.overview import sections_for

SEE_OTHER = 303
DONE = ("password", "saved")


@method_decorator(never_cache, name="dispatch")
class AccountPage(LoginRequiredMixin, View):
    """Sections of all apps first, then name and language, which can be changed here."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = cast(User, request.user)
        done = next((word for word in DONE if word in request.GET), "")
        return _show(request, DetailsForm(initial={"name": user.name, "language": user.language}), notice=done)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = DetailsForm(request.POST)
        if not form.is_valid():
            return _show(request, form, status=400)
        User.objects.filter(pk=cast(User, request.user).pk).update(**form.cleaned_data)
        response = HttpResponseRedirect(f"{request.path}?saved", status=SEE_OTHER)
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, form.cleaned_data["language"], **_cookie())
        return response


def _show(request: HttpRequest, form: DetailsForm, *, notice: str = "", status: int = 200) -> HttpResponse:
    sections = sections_for(cast(User, request.user), at=timezone.now())
    context = {"form": form, "notice": notice, "sections": sections}
    return render(request, "accounts/overview.html", context, status=status)


def _cookie() -> dict[str, Any]:
    """As Django's own page for choosing a language sets it."""
    return {
        "max_age": settings.LANGUAGE_COOKIE_AGE,
        "path": settings.LANGUAGE_COOKIE_PATH,
        "domain": settings.LANGUAGE_COOKIE_DOMAIN,
        "secure": settings.LANGUAGE_COOKIE_SECURE,
        "httponly": settings.LANGUAGE_COOKIE_HTTPONLY,
        "samesite": settings.LANGUAGE_COOKIE_SAMESITE,
    }
