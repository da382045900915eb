"""`/account/…`: the account and its details, signing up, in and out, and the password."""

from typing import Any, cast

import structlog
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import (
    INTERNAL_RESET_SESSION_TOKEN,
    LoginView,
    LogoutView,
    PasswordChangeView,
    PasswordResetConfirmView,
)
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.views import View
from django.views.decorators.cache import never_cache

from accounts.doors import changes_a_password, tries_a_password
from accounts.forms import AddressForm, ChangePasswordForm, ChoosePasswordForm, DetailsForm, SignInForm, SignUpForm
from accounts.hooks import join, sections_for
from accounts.language import remember_language, typed_before
from accounts.mails import MailUnavailable, link_tokens, write_link
from accounts.models import User
from accounts.new_address import AddressNotChanged, ask_for_address, change_address, wanted_address
from accounts.next_page import next_of, own_path
from accounts.services import LinkSpent, change_details, choose_password, sign_up
from config.rate_limit import limited

log = structlog.get_logger(__name__)
HTTP_SEE_OTHER = 303
HTTP_GONE = 410
# What has just been done, as the address names it after a redirect.
NOTICES = ("password", "saved")
# In the session of who chooses a password: where they go on to.
NEXT = "account.next"


@method_decorator(never_cache, name="dispatch")
class AccountPage(LoginRequiredMixin, View):
    """Sections of all apps first, then name and language, which can be changed here."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user = cast(User, request.user)
        notice = next((word for word in NOTICES if word in request.GET), "")
        told = {"name": user.name, "language": user.language}
        return self._show(request, DetailsForm(initial={**told, **typed_before(request)}), notice=notice)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = DetailsForm(request.POST)
        if not form.is_valid():
            return self._show(request, form, status=400)
        change_details(user_id=cast(User, request.user).pk, details=form.cleaned_data, at=timezone.now())
        response = HttpResponseRedirect(f"{request.path}?saved", status=HTTP_SEE_OTHER)
        remember_language(response, form.cleaned_data["language"])
        return response

    def _show(self, request: HttpRequest, form: DetailsForm, *, notice: str = "", status: int = 200) -> HttpResponse:
        sections = sections_for(cast(User, request.user), at=timezone.now())
        context = {"form": form, "notice": notice, "sections": sections}
        return render(request, "accounts/overview.html", context, status=status)


@method_decorator(never_cache, name="dispatch")
@method_decorator(limited("account.mail"), name="dispatch")
class MailPage(View):
    """A form that ends with a mail; afterwards it says so, whatever was in the mail and whoever asked."""

    form_class: type[Form]
    template: str

    def get(self, request: HttpRequest) -> HttpResponse:
        if "sent" in request.GET:
            return render(request, "accounts/look_at_mail.html")
        return self._show(request, self.form_class(initial=typed_before(request)))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self.form_class(request.POST)
        if not form.is_valid():
            return self._show(request, form, notice="invalid", status=400)
        try:
            self.submit(next_path=next_of(request), **form.cleaned_data)
        except MailUnavailable as error:
            log.warning("account.mail_failed", error=str(error))
            return self._show(request, form, notice="unavailable", status=503)
        return HttpResponseRedirect(f"{request.path}?sent", status=HTTP_SEE_OTHER)

    def submit(self, *, next_path: str, **data: str) -> None:
        """What the form is for; the link in the mail goes on to `next_path`. Raises MailUnavailable."""
        raise NotImplementedError

    def _show(self, request: HttpRequest, form: Form, *, notice: str = "", status: int = 200) -> HttpResponse:
        context = {"form": form, "notice": notice, "next_path": next_of(request)}
        return render(request, self.template, context, status=status)


class SignUpPage(MailPage):
    """Asks for name and address, never for a password: that is chosen by who gets the mail."""

    form_class = SignUpForm
    template = "accounts/sign_up.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect(next_of(request) or "account") if request.user.is_authenticated else super().get(request)

    def submit(self, *, next_path: str, **data: str) -> None:
        at, language = timezone.now(), _current_language()
        sign_up(**data, language=language, at=at)
        write_link(email=data["email"], language=language, at=at, is_signing_up=True, next_path=next_path)


class LinkPage(MailPage):
    """For who has forgotten the password, or lost the first mail."""

    form_class = AddressForm
    template = "accounts/link.html"

    def submit(self, *, next_path: str, **data: str) -> None:
        write_link(email=data["email"], language=_current_language(), at=timezone.now(), next_path=next_path)


@method_decorator(tries_a_password, name="dispatch")
class SignInPage(LoginView):
    """Goes on to `next`, if that is a page of ours."""

    form_class = SignInForm
    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

    def get_initial(self) -> dict[str, Any]:
        return {**super().get_initial(), **typed_before(self.request)}

    def get_context_data(self, **told: Any) -> dict[str, Any]:
        return super().get_context_data(**told, next_path=next_of(self.request))

    def get_redirect_url(self) -> str:  # type: ignore[override]  # the stubs are of a later Django
        """Never this page itself: who is signed in would go round in circles."""
        url = super().get_redirect_url()
        return "" if url.partition("?")[0] == self.request.path else url

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        # Heals what a confirmation in the very same moment has missed.
        join(form.get_user(), at=timezone.now())
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=400)


class SignOutPage(LogoutView):
    """A POST only: no other site can sign anybody out with a picture."""

    def get_success_url(self) -> str:
        return f"{reverse('sign-in')}?signed-out"


class ChoosePasswordPage(PasswordResetConfirmView):
    """Opened, the link does nothing: mail programs look at links, too. Django moves its token out of the address."""

    form_class = ChoosePasswordForm
    template_name = "accounts/choose_password.html"
    token_generator = link_tokens

    def dispatch(self, *args: Any, **names: Any) -> HttpResponseBase:
        """Django's redirect drops the query: where the link goes on to is remembered before."""
        if next_path := own_path(self.request.GET.get("next", "")):
            self.request.session[NEXT] = next_path
        return super().dispatch(*args, **names)

    def get_user(self, uidb64: str) -> User | None:
        user = super().get_user(uidb64)
        return user if user and user.is_active else None

    def form_valid(self, form: SetPasswordForm) -> HttpResponse:
        token = self.request.session.get(INTERNAL_RESET_SESSION_TOKEN, "")
        password = form.cleaned_data["new_password1"]
        try:
            user = choose_password(user_id=form.user.pk, token=token, password=password, at=timezone.now())
        except LinkSpent:
            self.validlink = False
            return self.render_to_response(self.get_context_data())
        del self.request.session[INTERNAL_RESET_SESSION_TOKEN]
        next_path = own_path(self.request.session.pop(NEXT, ""))
        login(self.request, user)
        return HttpResponseRedirect(next_path or f"{reverse('account')}?password", status=HTTP_SEE_OTHER)

    def form_invalid(self, form: SetPasswordForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=400)

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        options.setdefault("status", 200 if self.validlink else HTTP_GONE)
        return super().render_to_response(context, **options)


@method_decorator(limited("account.mail"), name="dispatch")
class NewAddressPage(LoginRequiredMixin, MailPage):
    """Asks for another address; nothing changes before the link that is sent there has been opened."""

    form_class = AddressForm
    template = "accounts/new_address.html"

    def submit(self, *, next_path: str, **data: str) -> None:
        ask_for_address(user=cast(User, self.request.user), email=data["email"], at=timezone.now())


@method_decorator(never_cache, name="dispatch")
class ConfirmAddressPage(View):
    """Opened, the link does nothing: its button changes the address, in whatever browser."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            _user, email = wanted_address(token)
        except AddressNotChanged:
            return self._ended(request)
        return render(request, "accounts/confirm_address.html", {"email": email})

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            change_address(token=token, at=timezone.now())
        except AddressNotChanged:
            return self._ended(request)
        except MailUnavailable as error:
            # It is changed; only the old address was not told.
            log.warning("account.mail_failed", error=str(error))
        return HttpResponseRedirect(f"{reverse('account')}?saved", status=HTTP_SEE_OTHER)

    def _ended(self, request: HttpRequest) -> HttpResponse:
        return render(request, "accounts/confirm_address.html", {"email": ""}, status=HTTP_GONE)


@method_decorator(never_cache, name="dispatch")
@method_decorator(changes_a_password, name="dispatch")
class ChangePasswordPage(PasswordChangeView):
    """Signs the person out everywhere else."""

    form_class = ChangePasswordForm
    template_name = "accounts/change_password.html"

    def get_success_url(self) -> str:
        return f"{reverse('account')}?password"

    def form_invalid(self, form: SetPasswordForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=400)


def _current_language() -> str:
    """The one in which this page is shown."""
    return (get_language() or settings.LANGUAGE_CODE)[:2]
