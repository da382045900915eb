"""`/account/password/…`: the password, chosen by the link of a mail or changed by who is signed in."""

from typing import Any

from django.contrib.auth import login
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import (
    INTERNAL_RESET_SESSION_TOKEN,
    PasswordChangeView,
    PasswordResetConfirmView,
)
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts.forms import ChangePasswordForm, ChoosePasswordForm
from accounts.models import User
from accounts.services.choose_password import LinkSpent, choose_password
from accounts.tokens import link_tokens
from config.rate_limit import limited

GONE = 410
SEE_OTHER = 303


class ChoosePasswordPage(PasswordResetConfirmView):
    """Opened, the link does nothing: mail programs look at links, too. Django moves its code out of the address."""

    form_class = ChoosePasswordForm
    template_name = "accounts/choose_password.html"
    token_generator = link_tokens

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
        login(self.request, user)
        return HttpResponseRedirect(f"{reverse('account')}?password", status=SEE_OTHER)

    def form_invalid(self, form: SetPasswordForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=400)

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        options.setdefault("status", 200 if self.validlink else GONE)
        return super().render_to_response(context, **options)


@method_decorator(never_cache, name="dispatch")
@method_decorator(limited("account.password"), name="dispatch")
class ChangePasswordPage(PasswordChangeView):
    """Signs the person out everywhere else."""

    form_class = ChangePasswordForm
    template_name = "accounts/change_password.html"

    def get_success_url(self) -> str:
        return f"{reverse('account')}?password"

    def form_invalid(self, form: SetPasswordForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=400)
