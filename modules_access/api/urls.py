"""The addresses of modules and tokens below /api/."""

from django.urls import URLPattern, path
from rest_framework.views import APIView

from modules_access.api.views import GenerateView, OwnModulesView, RevokeView, VerifyView


def with_and_without_slash(address: str, other: str, view: type[APIView], *, name: str) -> list[URLPattern]:
    """The address in the schema, and the other one: a POST cannot be redirected to the right slash."""
    return [path(address, view.as_view(), name=name), path(other, view.as_view(schema=None))]


urlpatterns = [
    *with_and_without_slash(
        "generate-module-token-webhook", "generate-module-token-webhook/", GenerateView, name="api-generate-token"
    ),
    *with_and_without_slash("module-tokens/verify", "module-tokens/verify/", VerifyView, name="api-verify-token"),
    *with_and_without_slash("module-tokens/revoke", "module-tokens/revoke/", RevokeView, name="api-revoke-token"),
    *with_and_without_slash("me/modules/", "me/modules", OwnModulesView, name="api-own-modules"),
]
