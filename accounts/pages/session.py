"""`/account/sign-in/` and `/account/sign-out/`."""

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator

from accounts.forms import SignInForm
from accounts.joining import join
from config.rate_limit import limited


@method_decorator(limited("account.sign-in"), name="dispatch")
class SignInPage(LoginView):
    """Goes on to `next`, if that is a page of ours."""

    form_class = SignInForm
    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

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
