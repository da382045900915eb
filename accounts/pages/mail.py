"""`/account/sign-up/` and `/account/link/`: both answer the same to everybody and write to the address."""

import structlog
from django.conf import settings
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.views import View
from django.views.decorators.cache import never_cache

from accounts.forms import AddressForm, SignUpForm
from accounts.mails import MailUnavailable
from accounts.services.sign_up import sign_up
from accounts.services.write_link import write_link
from config.rate_limit import limited

log = structlog.get_logger(__name__)
SEE_OTHER = 303


@method_decorator(never_cache, name="dispatch")
@method_decorator(limited("account.mail"), name="dispatch")
class MailPage(View):
    """A form that ends with a mail; afterwards it says so, whatever was in the mail."""

    form_class: type[Form]
    template: str

    def get(self, request: HttpRequest) -> HttpResponse:
        if "sent" in request.GET:
            return render(request, "accounts/look_at_mail.html")
        return self._show(request, self.form_class())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self.form_class(request.POST)
        if not form.is_valid():
            return self._show(request, form, notice="invalid", status=400)
        try:
            self.act(**form.cleaned_data)
        except MailUnavailable as trouble:
            log.warning("account.mail_failed", error=str(trouble))
            return self._show(request, form, notice="unavailable", status=503)
        return HttpResponseRedirect(f"{request.path}?sent", status=SEE_OTHER)

    def act(self, **told: str) -> None:
        """What the form is for."""
        raise NotImplementedError

    def _show(self, request: HttpRequest, form: Form, *, notice: str = "", status: int = 200) -> HttpResponse:
        return render(request, self.template, {"form": form, "notice": notice}, status=status)


class SignUpPage(MailPage):
    """Asks for name and address, never for a password: that is chosen by who gets the mail."""

    form_class = SignUpForm
    template = "accounts/sign_up.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect("account") if request.user.is_authenticated else super().get(request)

    def act(self, **told: str) -> None:
        at, language = timezone.now(), current_language()
        sign_up(**told, language=language, at=at)
        write_link(email=told["email"], language=language, at=at, is_signing_up=True)


class LinkPage(MailPage):
    """For who has forgotten the password, or lost the first mail."""

    form_class = AddressForm
    template = "accounts/link.html"

    def act(self, **told: str) -> None:
        write_link(email=told["email"], language=current_language(), at=timezone.now())


def current_language() -> str:
    """The one in which this page is shown."""
    return (get_language() or settings.LANGUAGE_CODE)[:2]
