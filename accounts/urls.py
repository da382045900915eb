"""The addresses of an account."""

from django.urls import path

from accounts.pages import (
    AccountPage,
    ChangePasswordPage,
    ChoosePasswordPage,
    LinkPage,
    SignInPage,
    SignOutPage,
    SignUpPage,
)

urlpatterns = [
    path("", AccountPage.as_view(), name="account"),
    path("sign-up/", SignUpPage.as_view(), name="sign-up"),
    path("sign-in/", SignInPage.as_view(), name="sign-in"),
    path("sign-out/", SignOutPage.as_view(), name="sign-out"),
    path("link/", LinkPage.as_view(), name="account-link"),
    path("password/", ChangePasswordPage.as_view(), name="change-password"),
    # The access log masks what is called "token".
    path("password/<uidb64>/<token>/", ChoosePasswordPage.as_view(), name="choose-password"),
]
