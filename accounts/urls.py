"""The addresses of an account."""

from django.urls import path

from accounts.own_data import DataPage, ErasurePage
from accounts.pages import (
    AccountPage,
    ChangePasswordPage,
    ChoosePasswordPage,
    ConfirmAddressPage,
    LinkPage,
    NewAddressPage,
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
    path("address/", NewAddressPage.as_view(), name="new-address"),
    path("address/<str:token>/", ConfirmAddressPage.as_view(), name="confirm-address"),
    path("data/", DataPage.as_view(), name="own-data"),
    path("erasure/", ErasurePage.as_view(), name="erasure"),
    path("password/", ChangePasswordPage.as_view(), name="change-password"),
    # The access log masks what is called "token".
    path("password/<uidb64>/<token>/", ChoosePasswordPage.as_view(), name="choose-password"),
]
